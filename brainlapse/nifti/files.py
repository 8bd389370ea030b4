"""Bytes of one file from outside: regular, readable and of bearable size, or rejected."""

import errno
import os
import re
import stat
from pathlib import Path

from brainlapse.rejection import ScanRejected

# Faults of one file. Others (a failing disk, memory) are no property of the scan and stop the job.
FILE_ERRNOS = {
    errno.ENOENT,
    errno.EACCES,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENOTDIR,
    errno.EPERM,
    errno.ENAMETOOLONG,
}
KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def shown(path: str | os.PathLike) -> str:
    """Write a path on one line, in characters that every table can hold."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return CONTROL.sub(lambda found: f"\\x{ord(found.group()):02x}", text)


def read_regular(path: str, max_bytes: int | None = None, what: str = "scan") -> bytes:
    """Read a regular file.

    Parameters
    ----------
    max_bytes
        Larger files are rejected before they are read; None for no limit.
    what
        What the file should be: scan or table.

    Raises
    ------
    ScanRejected
        The file is missing, forbidden, empty, too large or no regular file.
    OSError
        The machine is at fault, not the file.
    """
    try:
        found = Path(path).stat()
        check_regular(path, found, max_bytes)
        content = b""
        if found.st_size:  # doors of the kernel (/proc) are empty too; some block or fail
            with open(path, "rb") as file:
                content = file.read()
    except OSError as error:
        raise_if_machine(error)
        raise ScanRejected(explain(path, error, what)) from error
    if not content:
        message = f"{shown(path)}: expected a {what}, found an empty file; fetch or copy it again"
        raise ScanRejected(message)
    return content


def raise_if_machine(error: OSError) -> None:
    """Raise an error again that says nothing about the file."""
    if error.errno not in FILE_ERRNOS:
        raise error


def explain(path: str, error: OSError, what: str = "scan") -> str:
    """Say in one sentence why a file cannot be read."""
    link = Path(path)
    if error.errno in (errno.ENOENT, errno.ELOOP) and link.is_symlink():
        why = "which does not exist" if error.errno == errno.ENOENT else "which leads to itself"
        return (
            f"{shown(path)}: expected a {what}, found a link to {shown(link.readlink())}, {why}; "
            "fetch the file (datalad get, git annex get) or mend the link"
        )
    advice = "copy it again" if error.errno == errno.ENOENT else "mend its permissions or remove it"
    return f"{shown(path)}: expected a readable file, found: {error.strerror}; {advice}"


def check_regular(path: str, found: os.stat_result, max_bytes: int | None) -> None:
    """Refuse pipes, devices, folders and files that are too large; they are never opened."""
    if not stat.S_ISREG(found.st_mode):
        kind = KINDS.get(stat.S_IFMT(found.st_mode), "none")
        message = f"{shown(path)}: expected a regular file, found {kind}; remove or replace it"
        raise ScanRejected(message)
    if max_bytes is not None and found.st_size > max_bytes:
        raise ScanRejected(too_large(path, found.st_size, max_bytes))


def too_large(path: str, found_bytes: int, max_bytes: int) -> str:
    """Say in one sentence that a file is larger than a scan may be."""
    return (
        f"{shown(path)}: expected a scan of at most {max_bytes / 1e6:.0f} MB unpacked, found "
        f"{found_bytes / 1e6:.0f} MB; remove the file, or raise cohort.max_scan_mb"
    )
