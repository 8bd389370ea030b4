"""Whether the edge of a brain mask lies on an edge of the scan."""

import numpy as np
from scipy import ndimage

from brainlapse.preprocessing.blocks import block_affine, block_mean, brain_box, shrink_factors
from brainlapse.preprocessing.orientation import voxel_sizes_mm

VOXEL_MM = 2.0
INSIDE_MM = (4.0, 10.0)  # depth of the inner shell: below the fluid that covers a brain
OUTSIDE_MM = (0.0, 5.0)  # height of the outer one: fluid and bone
MENINGES_MM = 2.5  # thickness of meninges that took up contrast agent
NEAR_MM = 4.0  # standard deviation of the Gaussian that weighs what is near
CLEAR = 0.2  # of the sum of both: a difference that noise and bias do not make
AIR_PERCENTILE = 0.5


def edge_share(volume: np.ndarray, mask: np.ndarray, affine: np.ndarray) -> float:
    """Return the share of a mask's edge at which the scan is clearly brighter inside than outside.

    Brain is brighter than the fluid and bone around it. A mask that ends inside the brain has about
    the same on both sides, one that ends in the scalp is darker inside. Where a layer brighter than
    the brain lies upon the edge, meninges with contrast agent, what follows it counts too.

    Parameters
    ----------
    volume, mask
        (X, Y, Z) raw intensities in RAS+ axis order, and bool mask, not empty.
    affine
        Voxel to world mm (RAS), (4, 4).

    Returns
    -------
    float
        0 to 1; 0 for a mask without an inner shell.
    """
    factors = shrink_factors(affine, VOXEL_MM)
    sizes_mm = voxel_sizes_mm(block_affine(affine, factors))
    margin_mm = OUTSIDE_MM[1] + MENINGES_MM + VOXEL_MM
    box = brain_box(mask, int(np.ceil(margin_mm / voxel_sizes_mm(affine).min())))
    inside = block_mean(mask[box], factors) > 0.5
    image = block_mean(volume[box], factors) - np.percentile(volume, AIR_PERCENTILE)
    depth_mm = ndimage.distance_transform_edt(inside, sampling=sizes_mm)
    height_mm = ndimage.distance_transform_edt(~inside, sampling=sizes_mm)
    inner = _between(depth_mm, *INSIDE_MM)
    edge = inside & (depth_mm <= sizes_mm.max())
    if not (inner.any() and edge.any()):
        return 0.0
    shells = (
        inner,
        _between(height_mm, *OUTSIDE_MM),
        _between(height_mm, 0.0, MENINGES_MM),
        _between(height_mm, *(MENINGES_MM + mm for mm in OUTSIDE_MM)),
    )
    sigma_voxels = NEAR_MM / sizes_mm
    within, beyond, upon, above = (_local_mean(image, shell, sigma_voxels) for shell in shells)
    clear = _clearly_brighter(within, beyond)
    clear |= (upon > within) & _clearly_brighter(within, above)
    return float(clear[edge].mean())


def _between(distance_mm: np.ndarray, low: float, high: float) -> np.ndarray:
    return (distance_mm > low) & (distance_mm <= high)


def _clearly_brighter(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return first - second > CLEAR * (first + second)


def _local_mean(image: np.ndarray, shell: np.ndarray, sigma_voxels: np.ndarray) -> np.ndarray:
    weight = shell.astype(np.float32)
    total, count = (
        ndimage.gaussian_filter(part, sigma_voxels, truncate=3.0)
        for part in (image * weight, weight)
    )
    return total / np.maximum(count, 1e-6)
