"""Runs of the workflow in a folder of their own, and whether their results are the expected."""

import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
LIMIT_S = 3600.0  # nothing of the tiny run needs as long, even on a busy machine
NO_RESULTS = (".snakemake", ".resume", "logs", "benchmarks")
COSTS = re.compile(rb"<h3[^>]*>Cost</h3>.*?<h3", re.DOTALL)  # of a page: seconds, memory
CLOCK = re.compile(rb"^(\d+\t\d+\t)[\d.]+", re.MULTILINE)  # of a history: epoch, step, seconds
TIME_STAMP = ".snakemake_timestamp"


@dataclass(frozen=True)
class Ended:
    """A command that ended: its exit status, None if it had to be killed, and what it said."""

    code: int | None
    said: str


@dataclass(frozen=True)
class Place:
    """A working folder with a configuration and targets; the results lie in ``results``."""

    folder: Path
    settings: dict[str, Any]
    targets: tuple[str, ...] = ()

    @property
    def results(self) -> Path:
        """The output folder."""
        return self.folder / "results"

    def command(self, *more: str) -> list[str]:
        """Return the command of the workflow, with one core."""
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "config.yaml"
        config.write_text(yaml.safe_dump({**self.settings, "output": "results"}))
        words = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
        words += ["--directory", str(self.folder), "--cores", "1"]
        return [*words, *self.targets, *more, "--configfile", str(config)]

    def run(self, *more: str, wrap: Sequence[str] = ()) -> Ended:
        """Run the workflow to its end."""
        return ended([*wrap, *self.command(*more)], self.folder / "said.log")


def with_settings(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Return settings with nested ones changed."""
    merged = dict(base)
    for key, value in change.items():
        nested = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = with_settings(merged[key], value) if nested else value
    return merged


def environment() -> dict[str, str]:
    """Variables of this process without what would steer the run."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("BRAINLAPSE_", "SLURM_"))}
    return {**kept, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


@contextlib.contextmanager
def started(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen]:
    """Start a command as the leader of a process group, of which nothing is left afterwards."""
    with open(log, "wb") as stream:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, stdout=stream,
            stderr=stream, start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        end_group(process)


def end_group(process: subprocess.Popen) -> None:
    """Kill a process and its group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def ended(command: Sequence[str], log: Path, limit_s: float = LIMIT_S) -> Ended:
    """Run a command to its end, or kill it after the limit."""
    with started(command, log) as process:
        try:
            code = process.wait(timeout=limit_s)
        except subprocess.TimeoutExpired:
            code = None
    return Ended(code, log.read_text(errors="replace"))


def copy(source: Path, target: Path) -> None:
    """Copy results with their time stamps, as ``cp -a`` does."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, symlinks=True)


def contents(results: Path) -> dict[str, str]:
    """Map every result to the hash of its bytes; logs and times are no results."""
    found = {}
    for path in sorted(results.rglob("*")):
        name = path.relative_to(results)
        if path.is_file() and name.parts[0] not in NO_RESULTS and path.name != TIME_STAMP:
            content = path.read_bytes()
            content = COSTS.sub(b"", content) if path.suffix == ".html" else content
            content = CLOCK.sub(rb"\1", content) if path.name == "history.tsv" else content
            found[str(name)] = hashlib.sha256(content).hexdigest()
    return found


def differences(expected: dict[str, str], results: Path) -> list[str]:
    """Name the results that are missing, differ, or should not be there."""
    found = contents(results)
    return sorted(
        name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)
    )
