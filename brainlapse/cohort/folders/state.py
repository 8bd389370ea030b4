"""Whether anything in a data set changed: a digest of names, sizes and time stamps."""

import hashlib
import os
import stat
from pathlib import Path

from brainlapse.cohort.folders.bids import list_dataset


def dataset_state(folder: str | os.PathLike) -> str:
    """Digest of every file that the cohort of one BIDS folder is built from.

    Equal as long as no scan or table is added, removed or touched; no file is opened. Content
    decides afterwards: `build_cohort` hashes the files whose own stamp is new.
    """
    listing = list_dataset(folder)
    digest = hashlib.sha256()
    tables = [*listing.dataset_tables, *listing.subject_tables.values()]
    paths = [*(scan.path for scan in listing.scans), *tables, *listing.scans_tables.values()]
    for path in paths:
        digest.update(os.fsencode(path) + repr(file_stamp(path)).encode())
    for fault in listing.faults:
        digest.update(os.fsencode(fault.path) + str(fault.problem).encode())
    return digest.hexdigest()


def file_stamp(path: str) -> tuple[int, ...]:
    """Size, modification time [ns], inode and mode of a file, or the number of the error.

    The stamps of devices and of the kernel's empty files move by themselves, and none is read.
    """
    try:
        found = Path(path).stat()
    except OSError as error:
        return (error.errno or -1,)
    if not stat.S_ISREG(found.st_mode) or not found.st_size:
        return (found.st_mode,)
    return found.st_size, found.st_mtime_ns, found.st_ino, found.st_mode
