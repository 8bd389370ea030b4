"""Which code and which tools made a result.

Reruns follow meaning: each rule carries, as a parameter, a hash of its script and of every
`brainlapse` module the script reaches. The hash is taken on the syntax tree, so comments,
docstrings, descriptions of settings and layout don't count, and a touched or freshly cloned file
changes nothing.
"""

import ast
import functools
import hashlib
import importlib.metadata
import platform
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "brainlapse"
EXEMPT = frozenset(f"{PACKAGE}.{name}" for name in ("runtime", "ownership", "provenance", "damage"))
"""Modules that can't change a number."""
DATA = {f"{PACKAGE}.networks.trained": "networks/weights/segmenter.safetensors"}
"""Files of the package that count as part of the module that reads them."""
PAGE_FILES = (".j2", ".js", ".tsv", ".bib")  # counted for the module beside them that names them
TOOLS = (
    "antspyx",
    "deepbet",
    "monai",
    "nibabel",
    "nilearn",
    "numpy",
    "scikit-learn",
    "scipy",
    "snakemake",
    "torch",
)


def code_fingerprint(script: str | Path, root: Path = ROOT) -> dict[str, str]:
    """Hash a script, every `brainlapse` module that it reaches, and the data that those read.

    Parameters
    ----------
    script
        Path of the script.
    root
        Folder that holds the package.

    Returns
    -------
    dict
        Module name (scripts and data under their file names) to 12 hexadecimal digits.
    """
    reached: dict[str, str] = {}
    waiting = [(Path(script).name, Path(script))]
    while waiting:
        name, path = waiting.pop()
        if name in reached:
            continue
        reached[name], imports, files = _analyse(path, root, path.stat().st_mtime_ns)
        reached |= {str(file.relative_to(path.parents[1])): _hash_data(file) for file in files}
        if name in DATA:
            reached[DATA[name]] = _hash_data(root / PACKAGE / DATA[name])
        waiting.extend(
            (module, found)
            for module in imports
            if module not in EXEMPT and (found := _module_path(module, root))
        )
    return dict(sorted(reached.items()))


@functools.cache
def _analyse(path: Path, root: Path, mtime_ns: int) -> tuple[str, frozenset[str], frozenset[Path]]:
    """Return the hash of a file's meaning, the package modules and the page files that it uses."""
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    nodes = list(ast.walk(tree))
    imports = frozenset(_package_imports(nodes, root))
    files = frozenset(_page_files(nodes, path.parent))
    _drop_texts(nodes)
    digest = hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:12]
    return digest, imports, files


def _page_files(nodes: list[ast.AST], folder: Path) -> set[Path]:
    words = {node.value for node in nodes if isinstance(node, ast.Constant)}
    names = {word for word in words if isinstance(word, str) and word.endswith(PAGE_FILES)}
    return {folder / name for name in names if (folder / name).is_file()}


def _hash_data(path: Path) -> str:
    return _hash_bytes(path, path.stat().st_mtime_ns) if path.is_file() else "missing"


@functools.cache
def _hash_bytes(path: Path, mtime_ns: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def _package_imports(nodes: list[ast.AST], root: Path) -> set[str]:
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                names.add(submodule if _module_path(submodule, root) else node.module)
    return {name for name in names if name.split(".")[0] == PACKAGE}


def _module_path(module: str, root: Path) -> Path | None:
    if module.split(".")[0] != PACKAGE:
        return None
    path = root.joinpath(*module.split("."))
    if path.with_suffix(".py").is_file():
        return path.with_suffix(".py")
    initial = path / "__init__.py"
    return initial if initial.is_file() else None


def _drop_texts(nodes: list[ast.AST]) -> None:
    """Drop docstrings, and the descriptions of settings."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in nodes:
        if isinstance(node, kinds) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Field":
            node.keywords = [word for word in node.keywords if word.arg != "description"]


def versions() -> dict[str, str]:
    """Return the versions of brainlapse, Python and the tools that make the numbers."""
    found = {"brainlapse": source_version(), "python": platform.python_version()}
    for tool in TOOLS:
        try:
            found[tool] = importlib.metadata.version(tool)
        except importlib.metadata.PackageNotFoundError:
            found[tool] = "not installed"
    return found


def source_version() -> str:
    """Return the git commit of the source, or ``unknown`` outside a clone."""
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--tags"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()
