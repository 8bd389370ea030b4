"""Whether the edge of a brain mask lies on an edge of the scan."""

import numpy as np
from scipy import ndimage

from brainlapse.preprocessing.blocks import block_affine, block_mean, brain_box, shrink_factors
from brainlapse.preprocessing.orientation import voxel_sizes_mm

VOXEL_MM = 2.0
INSIDE_MM = (4.0, 10.0)  # depth of the inner shell: below the fluid that covers a brain
OUTSIDE_MM = 5.0  # height of the outer one: fluid and bone
NEAR_MM = 4.0  # standard deviation of the Gaussian that weighs what is near
CLEAR = 0.2  # of the sum of both: a difference that noise and bias do not make
AIR_PERCENTILE = 0.5


def edge_share(volume: np.ndarray, mask: np.ndarray, affine: np.ndarray) -> float:
    """Return the share of a mask's edge at which the scan is clearly brighter inside than outside.

    Brain is brighter than the fluid and bone around it. A mask that ends inside the brain has about
    the same on both sides, one that ends in the scalp is darker inside.

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
    box = brain_box(mask, int(np.ceil((OUTSIDE_MM + VOXEL_MM) / voxel_sizes_mm(affine).min())))
    inside = block_mean(mask[box], factors) > 0.5
    image = block_mean(volume[box], factors) - np.percentile(volume, AIR_PERCENTILE)
    depth_mm = ndimage.distance_transform_edt(inside, sampling=sizes_mm)
    height_mm = ndimage.distance_transform_edt(~inside, sampling=sizes_mm)
    inner = (depth_mm > INSIDE_MM[0]) & (depth_mm <= INSIDE_MM[1])
    outer = (height_mm > 0) & (height_mm <= OUTSIDE_MM)
    edge = inside & (depth_mm <= sizes_mm.max())
    if not (inner.any() and edge.any()):
        return 0.0
    within, beyond = (_local_mean(image, shell, NEAR_MM / sizes_mm) for shell in (inner, outer))
    return float((within - beyond > CLEAR * (within + beyond))[edge].mean())


def _local_mean(image: np.ndarray, shell: np.ndarray, sigma_voxels: np.ndarray) -> np.ndarray:
    weight = shell.astype(np.float32)
    total, count = (
        ndimage.gaussian_filter(part, sigma_voxels, truncate=3.0)
        for part in (image * weight, weight)
    )
    return total / np.maximum(count, 1e-6)
