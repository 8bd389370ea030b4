"""Crop to the brain, and shrink by block means, with the geometry kept true."""

import numpy as np
from scipy import ndimage

from brainlapse.preprocessing.orientation import voxel_sizes_mm

Box = tuple[slice, ...]


def brain_box(mask: np.ndarray, margin_voxels: int) -> Box:
    """Return the bounding box of a mask (X, Y, Z), widened by a margin inside the volume."""
    box = ndimage.find_objects(mask.astype(np.uint8))[0]
    return tuple(
        slice(max(0, side.start - margin_voxels), min(edge, side.stop + margin_voxels))
        for side, edge in zip(box, mask.shape, strict=True)
    )


def crop_affine(affine: np.ndarray, box: Box) -> np.ndarray:
    """Return the affine of ``volume[box]``."""
    cropped = affine.copy()
    corner = [side.start for side in box]
    cropped[:3, 3] = affine[:3, :3] @ corner + affine[:3, 3]
    return cropped


def shrink_factors(affine: np.ndarray, voxel_mm: float) -> tuple[int, ...]:
    """Return how many voxels per axis make a block of about `voxel_mm`, at least 1."""
    factors = np.maximum(1, np.round(voxel_mm / voxel_sizes_mm(affine))).astype(int)
    return tuple(int(factor) for factor in factors)


def block_mean(volume: np.ndarray, factors: tuple[int, ...]) -> np.ndarray:
    """Average blocks of voxels; the last blocks are filled up with zeros.

    Parameters
    ----------
    volume
        (X, Y, Z).
    factors
        Voxels per block and axis.

    Returns
    -------
    numpy.ndarray
        float32, (ceil(X / fx), ceil(Y / fy), ceil(Z / fz)).
    """
    missing = [-edge % factor for edge, factor in zip(volume.shape, factors, strict=True)]
    padded = np.pad(volume.astype(np.float32), [(0, count) for count in missing])
    split: list[int] = []
    for edge, factor in zip(padded.shape, factors, strict=True):
        split += [edge // factor, factor]
    return padded.reshape(split).mean(axis=(1, 3, 5), dtype=np.float32)


def block_affine(affine: np.ndarray, factors: tuple[int, ...]) -> np.ndarray:
    """Return the affine of ``block_mean(volume, factors)``: block centres to world mm."""
    scale = np.diag([*factors, 1.0])
    scale[:3, 3] = (np.asarray(factors) - 1) / 2
    return affine @ scale


def spread_samples(
    samples: np.ndarray, first: np.ndarray, step: np.ndarray, shape: tuple[int, ...]
) -> np.ndarray:
    """Evaluate a smooth field, known on a coarse lattice, at every voxel.

    Parameters
    ----------
    samples
        Field on the lattice.
    first, step
        Voxel coordinates of the first sample, and voxels between samples, (3,) each.
    shape
        Shape (X, Y, Z) of the whole volume.

    Returns
    -------
    numpy.ndarray
        float32 (X, Y, Z), cubic splines between the samples, constant beyond them.
    """
    spread = samples.astype(np.float32)
    for size, begin, distance in zip(shape, first, step, strict=True):
        # Splines are products of splines along the axes, and linear in the samples.
        weights = _spline_weights(len(spread), (np.arange(size) - begin) / distance)
        spread = np.tensordot(spread, weights, axes=(0, 1))  # the axis that is done goes last
    return np.ascontiguousarray(spread)


def _spline_weights(count: int, places: np.ndarray) -> np.ndarray:
    """Weight of each of `count` samples at places (N,) between them, float32 (N, count)."""
    columns = [
        ndimage.map_coordinates(unit, places[None], order=3, mode="nearest")
        for unit in np.eye(count)
    ]
    return np.stack(columns, axis=1).astype(np.float32)
