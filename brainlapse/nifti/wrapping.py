"""Integers that ran over: values above the largest signed number, stored as negative ones.

A converter that writes unsigned 16-bit values (or 12- and 8-bit ones) into a signed type turns
what is brighter than 32767 (2047, 127) into large negative numbers: dark holes with sharp edges
in fat, vessels or white matter. The step between neighbours gives it away, and adding the span
of the type brings the values back.
"""

import numpy as np
from scipy import ndimage

BITS = (8, 12, 16)
NEAR_END = 0.9  # of the range: an image that ran over has voxels on both sides of its end
DEEP = 0.5  # of the range: a negative value that no noise around air reaches
FACES_DEEP = 0.5  # of the voxels at the faces: more means that air itself is far below 0
# Mean step into deep negatives over the half range: 1.42 to 1.76 on 14 real heads that ran over at
# 0.55 to 1.6 of white matter, at most 1.13 on the same heads shifted, clipped or with spikes;
# tests/integration/test_real_heads.py judges it on others.
MIN_STEP = 1.25
MAX_ALIKE = 0.9  # of the deep voxels with one value: more are dead voxels, or padding
DARK = 0.125  # of the range: a voxel whose surroundings are darker shows air and its noise
MIN_NOISE_SHARE = 1e-4  # of all voxels, negative in dark surroundings: noise around air


def unwrap(stored: np.ndarray) -> tuple[np.ndarray, str | None]:
    """Bring values that ran over back.

    Parameters
    ----------
    stored
        (X, Y, Z) values as stored, without scaling.

    Returns
    -------
    stored, note
        The values, float32, and a sentence; the same array and None where nothing ran over.
    """
    half = _half_range(stored)
    if half is None or not _ran_over(stored, half):
        return stored, None
    negative = _wrapped_voxels(stored, half)
    note = (
        f"{int(negative.sum())} voxels brighter than {half - 1} were stored as negative numbers "
        "(integers that ran over); they were brought back"
    )
    return np.where(negative, stored + np.float32(2 * half), stored), note


def _half_range(stored: np.ndarray) -> int | None:
    """Half of the type's span that the values fill on both sides of 0; None if they fill none."""
    low, high = float(stored.min()), float(stored.max())
    for half in (2 ** (bits - 1) for bits in BITS):
        inside = -half <= low and high < half
        if inside and low <= -NEAR_END * half and high >= NEAR_END * half:
            whole = bool((stored == np.rint(stored)).all())
            return half if whole else None
    return None


def _ran_over(stored: np.ndarray, half: int) -> bool:
    """Whether deep negatives and their neighbours above 0 are much closer with the span added."""
    deep = stored < -DEEP * half
    faces = [deep.take(index, axis).ravel() for axis in range(3) for index in (0, -1)]
    if np.concatenate(faces).mean() > FACES_DEEP:
        return False
    if np.unique(stored[deep], return_counts=True)[1].max() > MAX_ALIKE * deep.sum():
        return False
    steps = [_steps_into(stored, deep, axis) for axis in range(3)]
    found = np.concatenate(steps)
    return bool(found.size) and float(found.mean()) > MIN_STEP * half


def _steps_into(stored: np.ndarray, deep: np.ndarray, axis: int) -> np.ndarray:
    """Absolute steps along an axis between a deep negative value and one of at least 0."""
    values, marks = np.moveaxis(stored, axis, 0), np.moveaxis(deep, axis, 0)
    first, second = values[:-1], values[1:]
    across = (marks[:-1] & (second >= 0)) | (marks[1:] & (first >= 0))
    return np.abs(first[across] - second[across])


def _wrapped_voxels(stored: np.ndarray, half: int) -> np.ndarray:
    """Which negative values ran over, bool (X, Y, Z).

    All of them, where air has no noise below 0. Else values within the noise go with the nearest
    voxel that is certain: they may belong to air as well as to the brightest of all.
    """
    negative = stored < 0
    unsure = negative & (stored >= -_air_noise(stored, half))
    if not unsure.any():
        return negative
    certain = np.where(negative, stored + 2 * half, stored)
    nearest = ndimage.distance_transform_edt(unsure, return_distances=False, return_indices=True)
    neighbour = certain[tuple(nearest)]
    closer = np.abs(stored + 2 * half - neighbour) < np.abs(stored - neighbour)
    return (negative & ~unsure) | (unsure & closer)


def _air_noise(stored: np.ndarray, half: int) -> float:
    """How far noise around air reaches below 0; 0 where there is none."""
    unsigned = np.where(stored < -DARK * half, stored + 2 * half, stored)
    brightest = ndimage.maximum_filter(unsigned, 3)
    around_0 = (brightest >= 0) & (brightest < DARK * half)  # a bright plateau is all below 0
    below = -stored[around_0 & (stored < 0)]
    return float(below.max()) if below.size > MIN_NOISE_SHARE * stored.size else 0.0
