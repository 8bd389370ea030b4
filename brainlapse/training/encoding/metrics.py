"""How close a reconstruction comes to its scan, in the brain mask and on the whole grid."""

import math

import numpy as np
from skimage.metrics import structural_similarity

DATA_RANGE = 1.0


def reconstruction_metrics(
    reconstruction: np.ndarray, volume: np.ndarray, mask: np.ndarray
) -> dict[str, float]:
    """Compare two volumes (D, H, W) with values 0 to 1.

    SSIM is that of Wang et al. (2004) in 3D: Gaussian window of 1.5 voxels, data range 1; in
    the mask it is the mean of the SSIM map there. The background is equal by construction
    and inflates every measure of the whole grid, so those of the mask come first.

    Returns
    -------
    dict
        ssim, psnr_db, mae, mse inside the mask, and the same of the whole grid as `*_whole`.

    Raises
    ------
    ValueError
        If the mask is empty.
    """
    inside = mask > 0
    if not inside.any():
        message = "expected a brain mask with voxels, found an empty one; look at this scan's mask"
        raise ValueError(message)
    similarity = ssim_map(reconstruction, volume)
    difference = reconstruction.astype(np.float64) - volume
    everywhere = np.ones_like(inside)
    return {
        **_measures(similarity, difference, inside, ""),
        **_measures(similarity, difference, everywhere, "_whole"),
    }


def ssim_map(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Local structural similarity of two volumes (D, H, W), float64 of the same shape."""
    _, similarity = structural_similarity(
        first.astype(np.float64),
        second.astype(np.float64),
        data_range=DATA_RANGE,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    return similarity


def psnr_db(mean_square: float) -> float:
    """Peak signal-to-noise ratio of a mean squared error, in dB; NaN where there is no error."""
    return 10 * math.log10(DATA_RANGE**2 / mean_square) if mean_square > 0 else math.nan


def _measures(
    similarity: np.ndarray, difference: np.ndarray, region: np.ndarray, suffix: str
) -> dict[str, float]:
    errors = difference[region]
    mean_square = float(np.mean(errors**2))
    return {
        f"ssim{suffix}": float(similarity[region].mean()),
        f"psnr_db{suffix}": psnr_db(mean_square),
        f"mae{suffix}": float(np.abs(errors).mean()),
        f"mse{suffix}": mean_square,
    }
