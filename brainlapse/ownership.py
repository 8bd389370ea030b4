"""Whose an output folder is while a run goes on, and what a killed run left in it.

Nothing here changes a number, so this module is left out of the code fingerprints.
"""

import fcntl
import os
import re
import shutil
from pathlib import Path

from brainlapse.runtime import log, process_is_here, process_token

FINISHED_NAME = "finished"
TEMPORARY = re.compile(r"\.[0-9a-f]{32}\.tmp")
"""How the names of half-written files begin; see `runtime.atomic_path`."""

_held: list[int] = []  # descriptors of claimed folders, open as long as the process lives


def remove_finished(folder: str | Path) -> None:
    """Delete the resume states of trainings whose results are in place and recorded."""
    for mark in Path(folder, ".resume").glob(f"*/{FINISHED_NAME}"):
        shutil.rmtree(mark.parent, ignore_errors=True)


def claim_output(folder: str | Path) -> None:
    """Hold the output folder for this process until it ends, however it ends.

    Snakemake's own lock survives ``kill -9`` and would then refuse the same command; the
    kernel releases this one. Where the file system has no such locks, the owner that the file
    names is looked for on this host, and a warning says that others are not kept out.

    Raises
    ------
    RuntimeError
        If another run holds the folder.
    """
    path = Path(folder) / ".resume" / "run.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    owner, token = (*path.read_text(encoding="utf-8").splitlines(), "", "")[:2]
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        taken = False
    except BlockingIOError:
        taken = True
    except OSError as error:
        taken = token != process_token() and process_is_here(token)
        log.warning(
            "%s: files can't be locked here (%s); nothing keeps runs on other machines out: start "
            "one at a time", folder, error.strerror,
        )  # fmt: skip
    if taken:
        os.close(descriptor)
        message = f"{folder}: another run ({owner}) is writing here; wait for it or stop it"
        raise RuntimeError(message)
    os.truncate(descriptor, 0)
    text = f"process {os.getpid()} on {os.uname().nodename}\n{process_token()}\n"
    os.write(descriptor, text.encode())
    _held.append(descriptor)


def sweep(folder: str | Path) -> None:
    """Delete what killed jobs left half written; only while the folder is held."""
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != ".snakemake"]
        for name in filter(TEMPORARY.match, names):
            Path(place, name).unlink(missing_ok=True)
