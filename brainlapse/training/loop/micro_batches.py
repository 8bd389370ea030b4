"""A batch in parts that fit into memory; their gradients add up to those of the whole."""

import logging
import math
from collections.abc import Callable, Iterator
from typing import TypeVar

import torch

log = logging.getLogger("brainlapse")
Found = TypeVar("Found")


class OutOfMemory(Exception):
    """A single scan does not fit; the message says what to set."""


def in_parts(scans: int, size: int, work: Callable[[slice], Found]) -> tuple[list[Found], int]:
    """Do something with a batch part by part, with smaller parts where memory runs out.

    Parameters
    ----------
    scans
        Of the batch.
    size
        Most scans per part; halved after each torch.OutOfMemoryError.
    work
        Called with the part's place in the batch; with the first part it must start afresh, as
        after a fault all parts come again.

    Returns
    -------
    tuple
        What `work` returned for every part, and the size that fitted.

    Raises
    ------
    OutOfMemory
        If not even one scan fits.
    """
    while True:
        found = _try_parts(scans, size, work)
        if found is not None:
            return found, size
        if size == 1:
            message = (
                "a single scan does not fit into the GPU's memory; set "
                "training.checkpoint_gradients: true, a half precision, a narrower network "
                "(network.channels) or larger voxels (space.voxel_mm)"
            )
            raise OutOfMemory(message)
        # Outside of the except block, whose error would hold the memory of the failed pass.
        torch.cuda.empty_cache()
        size = math.ceil(min(size, scans) / 2)
        log.warning("out of GPU memory: the step is done again with %d scans per pass", size)


def _try_parts(scans: int, size: int, work: Callable[[slice], Found]) -> list[Found] | None:
    try:
        return [work(part) for part in parts(scans, size)]
    except torch.OutOfMemoryError:
        return None


def parts(scans: int, size: int) -> Iterator[slice]:
    """Cut a batch into parts of at most `size` scans."""
    for start in range(0, scans, size):
        yield slice(start, min(start + size, scans))
