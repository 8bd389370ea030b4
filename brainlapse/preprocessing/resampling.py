"""Bring a scan to the MNI grid in one interpolation, and strip what isn't brain."""

import numpy as np
from scipy import ndimage

from brainlapse.images import resample_to_grid
from brainlapse.preprocessing.blocks import Box, brain_box, crop_affine
from brainlapse.preprocessing.orientation import voxel_sizes_mm
from brainlapse.preprocessing.settings import ResamplingSettings
from brainlapse.rejection import ScanRejected
from brainlapse.space import Grid

ORDERS = {"linear": 1, "cubic": 3}
FWHM_PER_SIGMA = np.sqrt(8 * np.log(2))
TRUNCATE = 3.0  # the Gaussian, in standard deviations
SPLINE_REACH = 12  # voxels; farther values have no weight in single precision


def resample_brain(
    volume: np.ndarray,
    mask: np.ndarray,
    affine: np.ndarray,
    grid: Grid,
    transform: np.ndarray,
    settings: ResamplingSettings,
) -> tuple[np.ndarray, np.ndarray]:
    """Resample a bias-corrected scan and its mask to the grid, then strip.

    The whole head is interpolated and stripped afterwards: stripped first, the step at the
    mask's edge would ring.

    Parameters
    ----------
    volume, mask
        (X, Y, Z) intensities and bool brain mask.
    affine
        Voxel to world mm (RAS), (4, 4).
    grid
        The MNI grid.
    transform
        World mm of the grid to world mm of the scan, (4, 4).

    Returns
    -------
    tuple
        Stripped volume, float32, exactly 0 outside the brain, and bool mask; on the grid.

    Raises
    ------
    ScanRejected
        If the transform carries the brain out of the grid.
    """
    brain = resample_mask(mask, affine, grid, transform, settings)
    return resample_inside(volume, affine, grid, transform, brain, settings), brain


def resample_mask(
    mask: np.ndarray,
    affine: np.ndarray,
    grid: Grid,
    transform: np.ndarray,
    settings: ResamplingSettings,
) -> np.ndarray:
    """Bring a brain mask to the grid, bool; see `resample_brain`."""
    sigma = _sigma(affine, grid, transform, settings)
    near = brain_box(mask, 1 + int(np.ceil(TRUNCATE * sigma.max())))
    near_affine = crop_affine(affine, near)
    share = resample_to_grid(_smooth(mask[near], sigma), near_affine, grid, transform, order=1)
    brain = share > 0.5
    if not brain.any():
        message = (
            "Expected the brain inside the MNI grid, found none of it there; "
            "look at the registration and at `space` in the config."
        )
        raise ScanRejected(message)
    return brain


def resample_inside(
    volume: np.ndarray,
    affine: np.ndarray,
    grid: Grid,
    transform: np.ndarray,
    brain: np.ndarray,
    settings: ResamplingSettings,
) -> np.ndarray:
    """Bring a head to the grid where a mask on the grid is True, and 0 elsewhere.

    Parameters
    ----------
    volume, affine, grid, transform
        See `resample_brain`.
    brain
        bool, of the grid's shape, not empty.

    Returns
    -------
    numpy.ndarray
        float32, of the grid's shape; 0 where the scan does not reach as well.
    """
    sigma = _sigma(affine, grid, transform, settings)
    box = brain_box(brain, 0)
    part = Grid(brain[box].shape, crop_affine(grid.affine, box))
    reach = SPLINE_REACH + int(np.ceil(TRUNCATE * sigma.max()))
    near = _source_box(brain, volume.shape, np.linalg.inv(affine) @ transform @ grid.affine, reach)
    near_affine = crop_affine(affine, near)
    order = ORDERS[settings.interpolation]
    found = resample_to_grid(_smooth(volume[near], sigma), near_affine, part, transform, order)
    inside = np.zeros(grid.shape, dtype=np.float32)
    inside[box] = np.where(brain[box], found, 0)
    return inside


def _source_box(brain: np.ndarray, shape: tuple[int, ...], to_voxel: np.ndarray, reach: int) -> Box:
    """Box of a scan of `shape` that the voxels of a mask on the grid are read from."""
    places = np.argwhere(brain) @ to_voxel[:3, :3].T + to_voxel[:3, 3]
    low, high = np.floor(places.min(axis=0)) - reach, np.ceil(places.max(axis=0)) + reach + 1
    return tuple(
        slice(int(np.clip(begin, 0, size - 1)), int(np.clip(end, 1, size)))
        for begin, end, size in zip(low, high, shape, strict=True)
    )


def _sigma(
    affine: np.ndarray, grid: Grid, transform: np.ndarray, settings: ResamplingSettings
) -> np.ndarray:
    return smoothing_voxels(affine, grid, transform) if settings.antialias else np.zeros(3)


def smoothing_voxels(affine: np.ndarray, grid: Grid, transform: np.ndarray) -> np.ndarray:
    """Return the Gaussian smoothing before sampling on a coarser grid.

    Along each axis of the scan, a Gaussian whose full width at half maximum is
    ``sqrt(target^2 - source^2)`` widens the scan's resolution to the grid's (the template is
    treated alike). `target` is the size of a grid voxel in the scan.

    Returns
    -------
    numpy.ndarray
        Standard deviation per axis [voxels of the scan], (3,).
    """
    source_mm = voxel_sizes_mm(affine)
    scale = abs(np.linalg.det(transform[:3, :3])) ** (1 / 3)
    target_mm = scale * grid.voxel_volume_mm3 ** (1 / 3)
    width_mm = np.sqrt(np.maximum(target_mm**2 - source_mm**2, 0))
    return width_mm / FWHM_PER_SIGMA / source_mm


def _smooth(volume: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    volume = np.asarray(volume, dtype=np.float32)
    if not sigma.any():
        return volume
    return ndimage.gaussian_filter(volume, sigma, truncate=TRUNCATE, mode="nearest")
