"""A brain in a few thousand numbers: enough to tell whose it is, too few to look at.

Blocks of 12 mm of the brain in MNI space, kept in ``_qc.json``. What all people share is taken off
before two are compared; on that scale a person differs more from others than from itself years
later.
"""

import base64
from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from brainlapse.images import resample_to_grid
from brainlapse.space import Grid, grid_at

BLOCKS = grid_at(12.0, (14, 18, 14))
FWHM_PER_SIGMA = float(np.sqrt(8 * np.log(2)))
LEVELS = 255  # of a byte
BRAIN = 0.2  # of the template's intensity: blocks that are compared


def take_fingerprint(brain: np.ndarray, grid: Grid) -> str:
    """Return the fingerprint of a normalised brain (X, Y, Z) in MNI space, 0 to 1, as text."""
    voxel_mm = grid.voxel_volume_mm3 ** (1 / 3)
    sigma = BLOCKS.affine[0, 0] / FWHM_PER_SIGMA / voxel_mm
    smooth = ndimage.gaussian_filter(brain.astype(np.float32), sigma, truncate=3.0)
    blocks = resample_to_grid(smooth, grid.affine, BLOCKS)
    levels = np.rint(np.clip(blocks, 0, 1) * LEVELS).astype(np.uint8)
    return base64.b64encode(levels.tobytes()).decode("ascii")


def read_fingerprint(text: str) -> np.ndarray:
    """Return what `take_fingerprint` wrote, float (N,), 0 to 1."""
    return np.frombuffer(base64.b64decode(text), dtype=np.uint8) / LEVELS


def similarities(prints: np.ndarray, people: Sequence[object], template: np.ndarray) -> np.ndarray:
    """Compare fingerprints with each other.

    Parameters
    ----------
    prints
        (scans, N).
    people
        Whose each is said to be.
    template
        Fingerprint of the template, (N,): one more person, so that a few people have a mean.

    Returns
    -------
    numpy.ndarray
        Correlations (scans, scans) of what is left when the mean of all people is taken off,
        each person counted once.
    """
    inside = template > BRAIN
    values = _standardised(np.vstack([prints, template])[:, inside])
    names = np.unique([str(name) for name in people], return_inverse=True)[1]
    means = [values[:-1][names == number].mean(axis=0) for number in range(names.max() + 1)]
    left = values[:-1] - np.mean([*means, values[-1]], axis=0)
    return np.atleast_2d(np.corrcoef(left))


def _standardised(values: np.ndarray) -> np.ndarray:
    centred = values - values.mean(axis=1, keepdims=True)
    return centred / np.maximum(centred.std(axis=1, keepdims=True), 1e-9)
