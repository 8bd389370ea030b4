"""The conda environments, the lock and the package's imports say the same."""

from pathlib import Path

import pytest
import yaml

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
