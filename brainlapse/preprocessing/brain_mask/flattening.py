"""Take the coil profile and the glare of fat out of a whole head, before its brain is known."""

import numpy as np
from scipy import ndimage

from brainlapse.preprocessing.orientation import voxel_sizes_mm
from brainlapse.preprocessing.registration.pose import coarsen

VOXEL_MM = 4.0
LOCAL_MM = 20.0  # standard deviation of the local mean that is divided out
AIR_SHARE = 0.1  # of the bright tissue: less is air
BRIGHTEST_PERCENTILE = 98.0
FAINTEST = 0.1  # of the strongest local mean: beyond it air would become bright


def flatten_head(volume: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Divide a head by the local mean of its tissue, and clip what is brighter than most.

    Parameters
    ----------
    volume
        (X, Y, Z) raw intensities in RAS+ axis order.
    affine
        Voxel to world mm (RAS), (4, 4).

    Returns
    -------
    numpy.ndarray
        float32 (X, Y, Z), 0 to 1.
    """
    limited = limit_intensities(volume)
    coarse = coarsen(limited, affine, VOXEL_MM)
    tissue = (coarse.volume > AIR_SHARE).astype(np.float32)
    sigma = LOCAL_MM / voxel_sizes_mm(coarse.affine)
    total, weight = (ndimage.gaussian_filter(x, sigma) for x in (coarse.volume * tissue, tissue))
    mean = total / np.maximum(weight, 1e-3)
    mean = np.maximum(mean, FAINTEST * mean.max())
    index_map = np.linalg.inv(coarse.affine) @ affine
    profile = ndimage.affine_transform(
        mean,
        index_map[:3, :3],
        index_map[:3, 3],
        output_shape=volume.shape,
        order=1,
        mode="nearest",
    )
    return limit_intensities(limited / profile)


def limit_intensities(volume: np.ndarray) -> np.ndarray:
    """Scale a head to 0..1 and clip its brightest voxels, which are fat and vessels; float32."""
    low = float(volume.min())
    sparse = volume[::2, ::2, ::2]
    bright = low + AIR_SHARE * (float(np.percentile(sparse, 99)) - low)
    inside = sparse[sparse > bright]
    high = float(np.percentile(inside, BRIGHTEST_PERCENTILE)) if inside.size else low + 1
    return np.clip((volume - low) / max(high - low, 1e-12), 0, 1).astype(np.float32)
