"""How one unusable scan leaves the cohort without taking the others down.

A stage that cannot handle a scan raises `ScanRejected`. `run_stage` then writes, in place of
each output, a small JSON *notice* with the stage and the reason. Later stages hand the notice
on, and `collect_quality` lists it in ``rejected.tsv``. A notice is no image: any program that
takes it for one fails at once, and a person who opens it reads the reason.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from brainlapse.damage import reading
from brainlapse.runtime import atomic_path

NOTICE_START = b'{"brainlapse_rejected"'


class ScanRejected(Exception):
    """One scan can't be used; the message says file, expected, found and what to do.

    Only what the data set's own file holds rejects a scan: a damaged file of the run, a full disk
    or want of memory stop the job.
    """


@dataclass(frozen=True)
class Rejection:
    """Why and where a scan was given up."""

    stage: str
    reason: str


def read_rejection(path: str | Path) -> Rejection | None:
    """Return the notice held by a file, or None if the file holds a result."""
    with open(path, "rb") as file:
        if file.read(len(NOTICE_START)) != NOTICE_START:
            return None
    with reading(path):
        text = Path(path).read_text(encoding="utf-8")
        return Rejection(**json.loads(text)["brainlapse_rejected"])


def write_rejection(paths: Iterable[str | Path], rejection: Rejection) -> None:
    """Write a notice in place of each of the files."""
    for path in paths:
        with atomic_path(path) as temporary:
            text = json.dumps({"brainlapse_rejected": asdict(rejection)}) + "\n"
            temporary.write_text(text, encoding="utf-8")


def run_stage(
    stage: str,
    inputs: Iterable[str | Path],
    outputs: Iterable[str | Path],
    function: Callable[[], None],
) -> None:
    """Run one stage of one scan; a rejected scan yields notices instead of results.

    Parameters
    ----------
    stage
        Name of the stage, as listed in ``rejected.tsv``.
    inputs, outputs
        Files read and written by `function`.
    function
        Does the work; may raise `ScanRejected`. Any other exception is a fault of the
        program, not of the scan, and stops the job.
    """
    rejections = [rejection for path in inputs if (rejection := read_rejection(path))]
    if rejections:
        write_rejection(outputs, rejections[0])
        return
    try:
        function()
    except ScanRejected as error:
        write_rejection(outputs, Rejection(stage=stage, reason=str(error)))
