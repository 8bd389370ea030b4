"""Run another program within its time limit and leave nothing running."""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from brainlapse import guard
from brainlapse.runtime import log

LOG_LINES = 12
HINTS = {
    125: " (the container engine refused)",
    127: " (no such program)",
    137: " (killed, most often for want of memory)",
    -9: " (killed, most often for want of memory)",
}


class ProgramFailed(Exception):
    """A program could not be started, took too long or ended with an error."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """One run of a program.

    Attributes
    ----------
    command
        Arguments; no shell reads them.
    folder
        Temporary files of the run, removed when this whole job is killed.
    partial
        Folder inside it with what the program writes, removed when the program fails.
    limit_s
        Time limit [s].
    environment
        Its environment variables; by default this process's.
    stop
        Arguments that end a container which outlives its client; empty for other programs.
    """

    command: list[str]
    folder: Path
    partial: Path
    limit_s: float
    environment: dict[str, str] | None = None
    stop: Sequence[str] = field(default=())


def run_program(program: Program, output_file: Path) -> None:
    """Run a program to its end; what it prints goes to a file.

    Raises
    ------
    ProgramFailed
        If it cannot be started, runs past the time limit or ends with an exit code other than 0.
        No process and no container is left in any case.
    """
    log.info("Running %s", program.command)
    with output_file.open("wb") as stream, _guarded(program, stream) as guarded:
        report = guarded.wait(program.limit_s)
    if report is None:
        message = f"it ran past the time limit of {program.limit_s:g} s"
        raise ProgramFailed(message)
    kind, _, rest = report.partition(" ")
    if kind == "failed":
        message = f"cannot start {program.command[0]} ({rest}); install it or change the settings"
        raise ProgramFailed(message)
    if kind != "code":
        message = "the process that watches over it was killed"
        raise ProgramFailed(message)
    if int(rest):
        message = f"it ended with exit code {rest}{HINTS.get(int(rest), '')}"
        raise ProgramFailed(message)


def last_lines(output_file: Path) -> str:
    """Return the end of what a program printed."""
    text = (
        output_file.read_text(encoding="utf-8", errors="replace") if output_file.is_file() else ""
    )
    lines = text.splitlines()[-LOG_LINES:]
    return "\n".join(["Last lines of its output:", *lines]) if lines else "It wrote no output."


@dataclass
class _Guarded:
    """A program under its guard, and the pipe over which the guard reports."""

    process: subprocess.Popen
    report: int
    said: str = ""

    def wait(self, limit_s: float) -> str | None:
        """Return the guard's last word; None if the time is over before."""
        deadline = time.monotonic() + limit_s
        while select.select([self.report], [], [], max(0.0, deadline - time.monotonic()))[0]:
            heard = os.read(self.report, 4096).decode(errors="replace")
            if not heard:
                return (self.said.splitlines() or [""])[-1]
            self.said += heard
        return None


@contextlib.contextmanager
def _guarded(program: Program, stream: IO[bytes]) -> Iterator[_Guarded]:
    """Start the program under its guard; afterwards nothing of it runs, and no half output stays.

    The guard, isolated from Python's own settings, has a session of its own: what kills the job
    spares it.
    """
    report, end_of_guard = os.pipe()
    words = [str(end_of_guard), str(program.folder), *program.stop, "--", *program.command]
    process = subprocess.Popen(
        [sys.executable, "-I", guard.__file__, *words],
        env=program.environment,
        stdin=subprocess.PIPE,
        stdout=stream,
        stderr=subprocess.STDOUT,
        pass_fds=(end_of_guard,),
        start_new_session=True,
    )
    os.close(end_of_guard)
    guarded = _Guarded(process, report)
    try:
        yield guarded
    finally:
        with contextlib.suppress(BrokenPipeError):
            process.communicate(b"." if process.stdin else None)
        os.close(report)
        _kill_orphans(guarded.said)
        if "code 0" not in guarded.said.splitlines():
            shutil.rmtree(program.partial, ignore_errors=True)


def _kill_orphans(said: str) -> None:
    """Kill the program's processes whose guard was killed; no others have its group."""
    last = said.splitlines()[-1:]
    if last and last[0].startswith("started "):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(int(last[0].split()[1]), signal.SIGKILL)
