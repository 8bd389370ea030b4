"""Run another program within its time limit and leave nothing running."""

import contextlib
import subprocess
import sys
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
    with output_file.open("wb") as stream:
        process = _start(program, stream)
        with _guarded(process, program):
            try:
                code = process.wait(timeout=program.limit_s)
            except subprocess.TimeoutExpired as error:
                message = f"it ran past the time limit of {program.limit_s:g} s"
                raise ProgramFailed(message) from error
    if code != 0:
        message = f"it ended with exit code {code}{HINTS.get(code, '')}"
        raise ProgramFailed(message)


def last_lines(output_file: Path) -> str:
    """Return the end of what a program printed."""
    text = output_file.read_text(errors="replace") if output_file.is_file() else ""
    lines = text.splitlines()[-LOG_LINES:]
    return "\n".join(["Last lines of its output:", *lines]) if lines else "It wrote no output."


def _start(program: Program, stream: IO[bytes]) -> subprocess.Popen:
    try:
        return subprocess.Popen(
            program.command,
            env=program.environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        message = f"cannot start {program.command[0]} ({error.strerror}); install it or change the "
        raise ProgramFailed(message + "settings") from error


@contextlib.contextmanager
def _guarded(process: subprocess.Popen, program: Program) -> Iterator[None]:
    """End the process when the block is left early, and when this whole job is killed."""
    watcher = None
    words = [str(process.pid), str(program.folder), *program.stop]
    try:
        # Isolated from the environment, in a session of its own: what kills the job spares it.
        watcher = subprocess.Popen(
            [sys.executable, "-I", guard.__file__, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        yield
    finally:
        if watcher:
            watcher.kill()
            watcher.communicate()
        if process.returncode != 0:
            guard.end(process.pid, str(program.partial), program.stop)
            process.wait()
