"""Planning asks the same less often (planning.smk); what is planned and run stays the same."""

import re
from pathlib import Path

import pytest

from tests.conftest import run_snakemake

RULES = Path(__file__).parents[2] / "workflow/rules/planning.smk"
SNAKEFILE = """
from pathlib import Path

INCLUDE

def words(checkpoint):
    return Path(checkpoint.get().output[0]).read_text().split()

def firsts(wildcards):
    return [f"{name}.first" for name in words(checkpoints.list_names)]

def lasts(wildcards):
    return [f"{name}.last" for name in words(checkpoints.choose)]

rule all:
    input: lasts
    output: "all"
    script: "pass_on.py"

checkpoint list_names:
    input: "source"
    output: "names"
    script: "pass_on.py"

rule make_first:
    input: "source"
    output: "{name}.first"
    params: length=lambda wildcards, output: len(output[0])
    script: "pass_on.py"

checkpoint choose:
    input: "names", firsts
    output: "chosen"
    script: "pass_on.py"

rule make_last:
    input: "{name}.first"
    output: "{name}.last"
    script: "pass_on.py"
"""
PASS_ON = """
from pathlib import Path
Path(snakemake.output[0]).write_text(Path(snakemake.input[0]).read_text())
"""


@pytest.fixture
def both(tmp_path):
    """Run something without and with the file, in folders that start alike."""
    folders = [tmp_path / "without", tmp_path / "with"]
    for folder, include in zip(folders, ("", f'include: "{RULES}"'), strict=True):
        folder.mkdir()
        (folder / "Snakefile").write_text(SNAKEFILE.replace("INCLUDE", include))
        (folder / "pass_on.py").write_text(PASS_ON)
        (folder / "source").write_text("a b c")

    def run(*arguments):
        done = [run_snakemake(folder, *arguments, source=folder, check=False) for folder in folders]
        assert done[0].returncode == done[1].returncode, done[1].stdout
        return [steps(one.stdout) for one in done]

    run.folders = folders
    return run


def steps(output):
    """Jobs with their files, in an order of their own."""
    kinds = r"(?:    (?:input|output|wildcards):|(?:local)?(?:rule|checkpoint))"
    lines = re.findall(rf"(?m)^{kinds} .*", output)
    return sorted(" ".join(sorted(re.split(r"[\s,;]+", line))) for line in lines)


def assert_same(results, least):
    without, with_it = results
    assert without == with_it
    assert sum(line.count("rule") + line.count("checkpoint") for line in with_it) >= least


def test_plans_and_runs_are_the_same_before_and_after_checkpoints(both):
    assert_same(both("-n", "--cores", 1), 2)
    assert_same(both("chosen", "--cores", 1), 5)
    assert_same(both("-n", "--cores", 1), 4)
    assert_same(both("--cores", 1), 4)
    assert [(folder / "all").read_text() for folder in both.folders] == ["a b c"] * 2
    assert_same(both("-n", "--cores", 1), 0)


def test_a_checkpoint_that_lost_its_inputs_is_read_as_before(both):
    both("--cores", 1)
    assert all((folder / "all").exists() for folder in both.folders)
    for folder in both.folders:
        (folder / "source").unlink()
        (folder / "all").unlink()
    assert_same(both("-n", "--cores", 1), 1)
