"""The conda environments, the lock and the package's imports say the same."""

import ast
import re
import sys
from functools import cache
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
import yaml

from brainlapse.provenance import EXEMPT, code_fingerprint

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = sorted((ROOT / "envs").glob("*.yaml"))


def locked_versions() -> dict[str, str]:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {name.lower(): version for name, version in pairs}


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_environment_pins_the_locked_versions(path):
    packages = yaml.safe_load(path.read_text())["dependencies"][-1]["pip"]
    pinned = dict(package.split("==") for package in packages)
    locked = locked_versions()
    assert pinned == {name: locked.get(name) for name in pinned}


def test_torch_is_pinned_without_a_build():
    assert locked_versions()["torch"].replace(".", "").isdigit()


def test_every_environment_is_used():
    rules = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    unused = [path.name for path in ENVIRONMENTS if f"../../envs/{path.name}" not in rules]
    assert unused == []


RULE = re.compile(
    r'^(?:rule|checkpoint) (\w+):.*?"../../envs/(\w+)\.yaml".*?"../scripts/(\w+)\.py"',
    re.MULTILINE | re.DOTALL,
)
NOT_OF_CONDA = {"brainlapse"}


@cache
def imported_when_loaded(path):
    """Top names of what a file imports as soon as it is loaded, types apart."""
    names = set()
    waiting = list(ast.parse(path.read_text()).body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.split(".")[0])
        elif isinstance(node, (ast.Try, ast.With)):
            waiting += node.body
    return names - NOT_OF_CONDA - set(sys.stdlib_module_names)


def files_of(script):
    """A script and all modules of the package that it reaches."""
    reached = [name for name in code_fingerprint(script) if name.startswith("brainlapse.")]
    yield script
    for module in {*reached, *EXEMPT}:
        path = ROOT.joinpath(*module.split("."))
        yield from (found for found in [path.with_suffix(".py")] if found.is_file())


@cache
def distributions():
    """Distributions of each name that can be imported."""
    return packages_distributions()


@cache
def needed_by(distribution):
    """What comes along with a distribution, itself included."""
    wanted = [line for line in requires(distribution) or [] if "extra ==" not in line]
    return {distribution, *(re.split(r"[^\w.-]", line)[0].lower() for line in wanted)}


@cache
def rules_with_environments():
    text = "\n".join(path.read_text() for path in sorted((ROOT / "workflow/rules").glob("*.smk")))
    return {script: environment for _, environment, script in RULE.findall(text)}


def test_every_script_has_an_environment():
    scripts = {path.stem for path in (ROOT / "workflow/scripts").glob("*.py")}
    assert scripts == set(rules_with_environments())


@pytest.mark.parametrize(("script", "environment"), sorted(rules_with_environments().items()))
def test_environment_has_what_its_scripts_import(script, environment):
    packages = yaml.safe_load((ROOT / f"envs/{environment}.yaml").read_text())
    pinned = {package.split("==")[0] for package in packages["dependencies"][-1]["pip"]}
    installed = set().union(*map(needed_by, pinned))
    lacking = {}
    for path in files_of(ROOT / f"workflow/scripts/{script}.py"):
        for name in imported_when_loaded(path):
            if not installed & {found.lower() for found in distributions().get(name, [name])}:
                lacking.setdefault(name, path.name)
    assert lacking == {}
