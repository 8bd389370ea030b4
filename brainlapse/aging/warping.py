"""Forecasts that move the borders of the real scan, by the deformation between two decodings.

A decoded forecast is blurred, and the change between two decoded images, added to the real scan,
gives only half of the change at its sharp borders. Here the reconstruction of the last scan seen is
aligned with the decoded forecast, and the real scan moved in the same way: it keeps its detail.
"""

import numpy as np
from scipy import ndimage
from skimage.registration import optical_flow_ilk

RADIUS_MM = 7.5  # of the window in which the deformation is taken as constant
WARPS = 10


def warp_scan(
    scan: np.ndarray, rebuilt: np.ndarray, forecast: np.ndarray, mask: np.ndarray, voxel_mm: float
) -> np.ndarray:
    """Move the borders of a scan as those of its reconstruction move to the forecast.

    The deformation is that of the iterative Lucas-Kanade method (Le Besnerais & Champagnat 2005,
    doi:10.1109/ICIP.2005.1529706), as scikit-image has it.

    Parameters
    ----------
    scan, rebuilt, forecast
        (D, H, W): the last scan seen, its reconstruction, the decoded forecast.
    mask
        Bool (D, H, W), of the last scan seen; all are looked at inside.
    voxel_mm
        Edge of a voxel [mm].

    Returns
    -------
    np.ndarray
        float32 (D, H, W), values 0 to 1, 0 outside the mask.
    """
    radius = max(1, round(RADIUS_MM / voxel_mm))
    start, end = (np.where(mask, image, 0).astype(np.float32) for image in (rebuilt, forecast))
    flow = optical_flow_ilk(end, start, radius=radius, num_warp=WARPS, gaussian=True)
    places = np.indices(scan.shape, dtype=np.float32) + flow
    moved = ndimage.map_coordinates(scan.astype(np.float32), places, order=1)
    return np.where(mask, np.clip(moved, 0, 1), 0).astype(np.float32)
