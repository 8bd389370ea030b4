"""Run one process of the segmenter within its time limit and leave nothing running."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from brainlapse.runtime import log
from brainlapse.segmentation import guard
from brainlapse.segmentation.commands import Job, build_command, build_environment, stop_command
from brainlapse.segmentation.errors import SegmentationFailed
from brainlapse.segmentation.settings import SegmentationSettings

LOG_LINES = 12
HINTS = {
    125: " (the container engine refused)",
    127: " (no such program)",
    137: " (killed, most often for want of memory)",
    -9: " (killed, most often for want of memory)",
}


def run_process(job: Job, settings: SegmentationSettings, output_file: Path) -> None:
    """Run the segmenter on the scans of a job.

    Parameters
    ----------
    job
        Folders, threads and owner.
    settings
        Backend and time limit; the limit counts for each scan of the job.
    output_file
        Receives what the process prints.

    Raises
    ------
    SegmentationFailed
        If it cannot be started, runs past the time limit or ends with an exit code other than 0.
        No process and no container is left in any case.
    """
    command = build_command(job, settings)
    limit_s = settings.timeout_s * job.scans
    log.info("Running %s", command)
    with output_file.open("wb") as stream:
        process = _start(command, settings, stream)
        with _guarded(process, job, settings):
            try:
                code = process.wait(timeout=limit_s)
            except subprocess.TimeoutExpired as error:
                message = f"it ran past the time limit of {limit_s:g} s"
                raise SegmentationFailed(message) from error
    if code != 0:
        message = f"it ended with exit code {code}{HINTS.get(code, '')}"
        raise SegmentationFailed(message)


def last_lines(output_file: Path) -> str:
    """Return the end of what a process printed."""
    text = output_file.read_text(errors="replace") if output_file.is_file() else ""
    lines = text.splitlines()[-LOG_LINES:]
    return "\n".join(["Last lines of its output:", *lines]) if lines else "It wrote no output."


def _start(
    command: list[str], settings: SegmentationSettings, stream: IO[bytes]
) -> subprocess.Popen:
    try:
        return subprocess.Popen(
            command,
            env=build_environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        message = f"cannot start {command[0]} ({error.strerror}); install it or change the "
        raise SegmentationFailed(message + "segmentation settings") from error


@contextlib.contextmanager
def _guarded(process: subprocess.Popen, job: Job, settings: SegmentationSettings) -> Iterator[None]:
    """End the process when the block is left early, and when this whole job is killed."""
    stop = stop_command(job, settings)
    folder = str(job.output_folder.parent)
    watcher = None
    try:
        # Isolated from the environment, in a session of its own: what kills the job spares it.
        watcher = subprocess.Popen(
            [sys.executable, "-I", guard.__file__, str(process.pid), folder, *stop],
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
            guard.end(process.pid, str(job.output_folder), stop)
            process.wait()
