"""Differential bias correction: bring a visit to the brightness of an earlier one, everywhere.

The ratio of two aligned scans of one person is that of their bias fields wherever the anatomy has
stayed; it is smoothed in windows of some centimetres: Lewis and Fox (2004), NeuroImage 23:75-83.
They take medians. Here voxels count less where the ratio differs much from its surroundings, which
is where the anatomy changed, and where the brightness is steep, for there a shift of half a
millimetre is seen first.
"""

import numpy as np
from scipy import ndimage

from brainlapse.preprocessing.registration.least_squares import MAD_TO_SD
from brainlapse.space import Grid, grid_at

RATIO_GRID = grid_at(4.0, (48, 56, 48))  # of the images that it is found from
TISSUE = 0.6  # of the median: darker voxels are fluid, whose borders move and whose noise is large
STEEP = 0.03  # change of log brightness per mm that halves a voxel's weight
OUTLIER = 3.0  # in robust standard deviations: the ratio that counts a quarter
ROUNDS = 6
SHARPENINGS = 3  # what a window smooths away of the field is smoothed and added again
SMALLEST_WEIGHT = 1e-5
FWHM_PER_SIGMA = float(np.sqrt(8 * np.log(2)))


def find_difference(
    earlier: np.ndarray, visit: np.ndarray, fwhm_mm: float, grid: Grid = RATIO_GRID
) -> np.ndarray:
    """Find by how much a visit is brighter than an earlier one.

    Parameters
    ----------
    earlier, visit
        (X, Y, Z) on the grid: aligned, bias-corrected each on its own, 0 outside the brain.
    fwhm_mm
        Width of the windows.

    Returns
    -------
    numpy.ndarray
        Natural logarithm of visit / earlier, float32 (X, Y, Z), smooth everywhere; gain included.
    """
    voxel_mm = grid.voxel_volume_mm3 ** (1 / 3)
    sigma = fwhm_mm / FWHM_PER_SIGMA / voxel_mm
    logs, tissue = _logarithms(earlier, visit)
    ratio = np.where(tissue, logs[1] - logs[0], 0)
    middle = float(np.median(ratio[tissue]))
    ratio[tissue] -= middle
    slopes = np.gradient(ndimage.gaussian_filter(logs.mean(axis=0), 0.5), voxel_mm)
    trust = tissue / (1 + sum(slope**2 for slope in slopes) / STEEP**2)
    weights = trust
    for _ in range(ROUNDS):
        field = _smooth(ratio, weights, sigma)
        differences = ratio - field
        spread = MAD_TO_SD * max(float(np.median(np.abs(differences[tissue]))), 1e-6)
        weights = trust * (1 + (differences / (OUTLIER * spread)) ** 2) ** -2
    return (field + middle).astype(np.float32)


def _logarithms(earlier: np.ndarray, visit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log brightness (2, X, Y, Z) relative to the median, and where both are tissue, bool."""
    both = (earlier > 0) & (visit > 0)
    medians = [float(np.median(image[both])) for image in (earlier, visit)]
    tissue = both & (earlier > TISSUE * medians[0]) & (visit > TISSUE * medians[1])
    floors = [TISSUE / 4 * median for median in medians]
    images = zip((earlier, visit), floors, strict=True)
    return np.log(np.stack([np.maximum(image, floor) for image, floor in images])), tissue


def _smooth(values: np.ndarray, weights: np.ndarray, sigma: float) -> np.ndarray:
    total = np.maximum(ndimage.gaussian_filter(weights, sigma), SMALLEST_WEIGHT)
    smooth = np.zeros_like(values)
    for _ in range(SHARPENINGS):
        smooth += ndimage.gaussian_filter(weights * (values - smooth), sigma) / total
    return smooth
