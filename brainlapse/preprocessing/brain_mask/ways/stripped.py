"""A scan that was stripped before is its own mask."""

import numpy as np

from brainlapse.preprocessing.brain_mask.raw_head import NoMask, RawHead

MOST_ON_EDGE = 0.2  # of the voxels on the scan's faces: a stripped brain reaches few of them


def find_stripped(head: RawHead) -> np.ndarray:
    """Take all that differs from the value around it; whole heads are left to the judge.

    Raises
    ------
    NoMask
        If the scan is not surrounded by one value.
    """
    faces = [head.volume.take(index, axis).ravel() for axis in range(3) for index in (0, -1)]
    values, counts = np.unique(np.concatenate(faces), return_counts=True)
    if counts.max() < (1 - MOST_ON_EDGE) * counts.sum():
        message = "no value that surrounds it"
        raise NoMask(message)
    return head.volume != values[np.argmax(counts)]
