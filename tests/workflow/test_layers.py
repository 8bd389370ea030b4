"""The layers of the code: who may import whom, and what belongs to whom."""

import ast
from pathlib import Path

import pytest

from brainlapse.provenance import code_fingerprint

ROOT = Path(__file__).parents[2]
LIBRARY = sorted((ROOT / "brainlapse").rglob("*.py"))
SCRIPTS = sorted((ROOT / "workflow/scripts").glob("*.py"))
OWNERS = {
    "ants": {"preprocessing"},
    "deepbet": {"preprocessing"},
    "matplotlib": {"figures"},
    "PIL": {"figures"},
    "torch": {
        "preprocessing",
        "networks",
        "training",
        "segmentation",
        "segmenter",
        "pretraining",
        "bundle",
        "operations",  # the doctor asks for a GPU
    },
    "monai": {"networks"},
    "sklearn": {"analysis", "figures"},
}
MAX_LIBRARY_LINES = 300


def imported(path):
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add("." * node.level + (node.module or ""))
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def identify(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", LIBRARY, ids=identify)
def test_library_keeps_its_layers(path):
    names = imported(path)
    top = {name.split(".")[0] for name in names}
    assert "snakemake" not in top
    assert not any(name.startswith(".") for name in names), "relative import"
    part = path.relative_to(ROOT / "brainlapse").parts[0]
    for package, owners in OWNERS.items():
        assert package not in top or part in owners, f"{package} belongs to {owners}"


@pytest.mark.parametrize("path", [*LIBRARY, *SCRIPTS], ids=identify)
def test_no_star_imports_and_files_of_readable_size(path):
    text = path.read_text()
    assert "import *" not in text
    assert len(text.splitlines()) <= MAX_LIBRARY_LINES


@pytest.mark.parametrize("path", LIBRARY, ids=identify)
def test_package_files_hold_a_docstring_only(path):
    if path.name == "__init__.py":
        assert len(ast.parse(path.read_text()).body) == 1


@pytest.mark.parametrize("path", SCRIPTS, ids=identify)
def test_script_belongs_to_a_rule_and_imports_no_other_script(path):
    rules = "".join(file.read_text() for file in (ROOT / "workflow/rules").glob("*.smk"))
    assert f'"../scripts/{path.name}"' in rules
    stems = {script.stem for script in SCRIPTS}
    assert not {name.split(".")[0] for name in imported(path)} & stems


def test_training_is_reached_by_no_plot_and_no_later_stage():
    reached = code_fingerprint(ROOT / "workflow/scripts/train_autoencoder.py")
    later = ("figures", "analysis", "aging", "segmentation", "simulation", "cohort", "config")
    assert [
        name for name in reached if name.startswith(tuple(f"brainlapse.{x}" for x in later))
    ] == []


def test_settings_modules_import_settings_only():
    for path in LIBRARY:
        if path.name.endswith("settings.py"):
            packages = {name for name in imported(path) if name.startswith("brainlapse")}
            no_stage = ("brainlapse.runtime", "brainlapse.damage")
            packages = {name for name in packages if not name.startswith(no_stage)}
            assert all("settings" in name or name == "brainlapse" for name in packages), path


def opens_text_by_locale(call):
    """Whether a call opens a text file and leaves its encoding to the surroundings."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    plain = isinstance(call.func, ast.Name)
    values = [*call.args, *(keyword.value for keyword in call.keywords)]
    modes = [v.value for v in values if isinstance(v, ast.Constant) and isinstance(v.value, str)]
    mode = next((mode for mode in modes if set(mode) <= set("rwaxbt+")), "")
    opens = name in ("read_text", "write_text", "FileHandler")
    opens |= name == "open" and "b" not in mode and (plain or bool(mode))
    return opens and "encoding" not in {keyword.arg for keyword in call.keywords}


@pytest.mark.parametrize("path", [*LIBRARY, *SCRIPTS], ids=identify)
def test_text_files_are_opened_as_utf_8(path):
    calls = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
    assert [ast.unparse(call) for call in calls if opens_text_by_locale(call)] == []
