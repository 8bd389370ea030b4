"""Shared ground of the tests: running the workflow in a folder of its own."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from brainlapse.runtime import read_table
from tests.integration.cohorts import CLINIC, write_clinic, write_config, write_heads

ROOT = Path(__file__).parents[1]


def snakemake_call(folder, *arguments, source=ROOT):
    """Arguments for `subprocess`: the workflow of `source`, `folder` as its working folder."""
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("BRAINLAPSE_", "SLURM_"))
    }
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--snakefile",
        str(Path(source, "Snakefile")),
        "--directory",
        str(folder),
        *map(str, arguments),
    ]
    return {
        "args": command,
        "cwd": source,
        "env": environment,
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.STDOUT,
        "text": True,
    }


def run_snakemake(folder, *arguments, source=ROOT, check=True, timeout=1800):
    """Run the workflow of `source` with `folder` as the working folder."""
    call = snakemake_call(folder, *arguments, source=source)
    done = subprocess.run(**call, timeout=timeout, check=False)
    if check and done.returncode:
        pytest.fail(f"snakemake ended with {done.returncode}:\n{done.stdout[-6000:]}")
    return done


def planned_rules(output):
    """Names of the rules that a dry run would run."""
    return set(re.findall(r"^ *(?:local)?(?:rule|checkpoint) (\w+):$", output, flags=re.MULTILINE))


@pytest.fixture(scope="session")
def snakemake():
    """The runner, for tests that need it."""
    return run_snakemake


@dataclass(frozen=True)
class FinishedRun:
    """A run of the tiny cohort and a clinic with bad files through the whole graph."""

    folder: Path
    config: Path
    log: str

    @property
    def results(self):
        """The output folder."""
        return self.folder / "results"

    def table(self, path):
        """Read one of the run's tables."""
        return read_table(self.results / path)


@pytest.fixture(scope="session")
def heads(tmp_path_factory):
    """Heads of eight people, from which data sets are put together."""
    folder = tmp_path_factory.mktemp("heads")
    write_heads(folder)
    return folder


def pytest_addoption(parser):
    """Where the run of the tiny cohort is kept: another call makes only what code has changed."""
    parser.addoption("--finished-run", type=Path, metavar="FOLDER")


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory, pytestconfig):
    """Run the whole graph once for every test that looks at its results."""
    kept = pytestconfig.getoption("finished_run")
    folder = kept.resolve() / "tiny run" if kept else tmp_path_factory.mktemp("tiny run")
    clinic, log = folder / CLINIC, folder / "run.log"
    if not clinic.is_dir():
        write_clinic(folder / "unfinished")
        (folder / "unfinished").rename(clinic)
    config = write_config(folder, clinic)
    done = run_snakemake(folder, "--cores", 2, "--configfile", config)
    with open(log, "a") as kept_log:
        kept_log.write(done.stdout)
    return FinishedRun(folder, config, log.read_text())
