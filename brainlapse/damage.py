"""A file that an earlier job of the run wrote and that isn't what it wrote: one sentence for all.

And a machine that can't do the work.

Nothing here changes a number, so this module is left out of the code fingerprints.
"""

import contextlib
import resource
from collections.abc import Iterable, Iterator
from pathlib import Path

NAMED = 3  # of many missing things, the first few are named
OF_A_MACHINE = ("out of memory", "can't allocate memory", "CUDA error", "CUDA driver")
ADVICE = "delete it and run again"
LEAST_ADDRESSES = 2e9  # [bytes]; with 0.8e9 an import of torch never came back


class DamagedFile(Exception):
    """A file of the run is cut, empty, foreign or lacks something; a fault of no scan."""

    def __init__(self, path: str | Path, found: str, advice: str = ADVICE) -> None:
        super().__init__(f"{path}: damaged ({found}); {advice}")


def is_machine_fault(error: BaseException) -> bool:
    """Tell an error of memory, disk or device from one about what a file holds.

    Readers (gzip, nibabel) raise `OSError` for bad content too, but without the number that the
    system gives; torch raises `RuntimeError` for both.
    """
    if isinstance(error, OSError):
        return error.errno is not None
    if isinstance(error, RuntimeError):
        return any(words in str(error) for words in OF_A_MACHINE)
    return isinstance(error, MemoryError)


@contextlib.contextmanager
def reading(path: str | Path, advice: str = ADVICE) -> Iterator[None]:
    """Read a file of the run inside this block: whatever its parser raises means damage.

    Parameters
    ----------
    advice
        What to do about a file that no job writes.

    Raises
    ------
    DamagedFile
        If the content can't be read. Errors of the machine pass as they are.
    """
    try:
        yield
    except DamagedFile:
        raise
    except Exception as error:
        if is_machine_fault(error):
            raise
        raise DamagedFile(path, f"{type(error).__name__}: {error}", advice) from error


def check_complete(path: str | Path, expected: Iterable, found: Iterable, what: str) -> None:
    """Compare what a file holds with what the run planned.

    Parameters
    ----------
    path
        File or folder.
    expected, found
        Keys, of any hashable kind.
    what
        Plural noun of the keys.

    Raises
    ------
    DamagedFile
        If one is missing, or one is there that nobody planned.
    """
    planned, there = set(expected), set(found)
    if missing := planned - there:
        count = f"{len(missing)} of {len(planned)}"
        raise DamagedFile(path, f"{count} {what} missing: {_list(missing)}")
    if strange := there - planned:
        raise DamagedFile(path, f"{len(strange)} {what} that aren't of this run: {_list(strange)}")


def check_agree(
    path: str | Path, found: Iterable, other: str | Path, expected: Iterable, what: str
) -> None:
    """Refuse two tables that don't hold the same keys; the one that lacks some is damaged.

    Raises
    ------
    DamagedFile
        Names the table, and what it lacks.
    """
    here, there = set(found), set(expected)
    for lacking, missing, witness in ((path, there - here, other), (other, here - there, path)):
        if missing:
            text = f"{len(missing)} {what} missing that {witness} has: {_list(missing)}"
            raise DamagedFile(lacking, text)


def _list(keys: set) -> str:
    words = sorted("/".join(map(str, key)) if isinstance(key, tuple) else str(key) for key in keys)
    return ", ".join(words[:NAMED]) + (", ..." if len(words) > NAMED else "")


def check_addresses() -> None:
    """Refuse a limit of addresses in which importing torch hangs instead of failing.

    Raises
    ------
    MemoryError
        In one sentence.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < LEAST_ADDRESSES:
        message = (
            f"expected at least {LEAST_ADDRESSES / 1e9:g} GB of addresses for a job, found a limit "
            f"of {limit / 1e9:.2g} GB; raise it (ulimit -v unlimited) and run again"
        )
        raise MemoryError(message)
