"""Gaussian mixtures of tissue intensities with spatial priors, fitted by EM.

Ashburner & Friston (2005), NeuroImage 26:839-851, without deformation and bias field, which come
before; the uniform partial-volume class is that of Santago & Gage (1995), IEEE TIP 4:1531-1540.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from brainlapse.segmentation.errors import ImplausibleImage

ITERATIONS = 30
MAX_VOXELS = 200_000  # enough for three means and widths
SURE_PRIOR = 0.75
SMALLEST_CONTRAST = 0.05  # grey to white matter, white matter = 1
LARGEST_DRIFT = 0.15  # of grey and white matter's means from where they began, white matter = 1
PARTIAL_VOLUME_NOISE = 0.05
FLUID_START = 0.12  # of pure CSF after intensity normalisation, white matter = 1
FLUID_START_WEIGHT_ML = 0.5
FLUID_WIDTH = 0.05


@dataclass(frozen=True)
class TissueModel:
    """Means and widths of CSF, grey and white matter, (3,) each, in image intensity."""

    means: np.ndarray
    widths: np.ndarray

    def posteriors(self, values: np.ndarray, priors: np.ndarray) -> np.ndarray:
        """Probability of each tissue for values (N,) and priors (3, N); shape (3, N)."""
        share = _gaussians(values, self.means, self.widths) * priors
        return share / np.maximum(share.sum(axis=0), 1e-12)


def fit_tissues(values: np.ndarray, priors: np.ndarray) -> TissueModel:
    """Fit the three tissues to the intensities of one brain.

    Parameters
    ----------
    values
        (N,) intensities inside the brain.
    priors
        (3, N) probability of CSF, grey and white matter at each voxel.

    Returns
    -------
    TissueModel
        With CSF darker than grey matter darker than white matter.

    Raises
    ------
    ImplausibleImage
        Where the image does not show these three in this order.
    """
    step = max(1, len(values) // MAX_VOXELS)
    values, priors = values[::step].astype(np.float64), priors[:, ::step].astype(np.float64)
    start = _starting_means(values, priors)
    white = start[2]
    _check_order(start)
    model = TissueModel(start, np.array([0.15, 0.12, 0.08]) * white)
    for _ in range(ITERATIONS):
        share = model.posteriors(values, priors)
        weight = share.sum(axis=1) + 1e-6
        means = (share @ values) / weight
        means[1:] = np.clip(means[1:], start[1:] - LARGEST_DRIFT * white, start[1:] + 0.1 * white)
        spread = np.array([share[k] @ (values - means[k]) ** 2 for k in range(3)]) / weight
        model = TissueModel(means, np.sqrt(spread) + 0.01 * white)
    _check_order(model.means)
    return model


def fit_fluid(values: np.ndarray, tissues: TissueModel, voxel_ml: float) -> float:
    """Mean intensity of pure CSF, from the region of the ventricles.

    Over the whole brain the CSF class also takes half-filled voxels of sulci; a share of fluid
    must be counted from the intensity of pure fluid. Voxels between fluid and tissue get a class
    of their own, and a starting value keeps hold where ventricles are too narrow for pure ones.

    Parameters
    ----------
    values
        (N,) intensities in the ventricle region.
    tissues
        Fitted to the whole brain.
    voxel_ml
        Volume of one voxel [ml].
    """
    _, grey, white = tissues.means
    scaled = values / white
    middle = 0.5 * (grey / white + 1)
    mean, width = FLUID_START, FLUID_WIDTH
    mixing = np.array([0.15, 0.15, 0.4, 0.3])[:, None]
    fixed = _gaussians(scaled, tissues.means[1:] / white, np.array([0.1, 0.07]))
    for _ in range(ITERATIONS):
        pure = _gaussians(scaled, np.array([mean]), np.array([width]))
        low, high = (ndtr((scaled - edge) / PARTIAL_VOLUME_NOISE) for edge in (mean, middle))
        partial = (low - high) / (middle - mean)
        share = np.concatenate([pure, partial[None], fixed]) * mixing
        share /= np.maximum(share.sum(axis=0), 1e-12)
        mixing = share.mean(axis=1, keepdims=True)
        found_ml = share[0].sum() * voxel_ml
        total_ml = found_ml + FLUID_START_WEIGHT_ML
        mean = (share[0] @ scaled * voxel_ml + FLUID_START_WEIGHT_ML * FLUID_START) / total_ml
        spread = share[0] @ (scaled - mean) ** 2 * voxel_ml
        spread = (spread + FLUID_START_WEIGHT_ML * FLUID_WIDTH**2) / total_ml
        mean, width = min(mean, 0.8 * grey / white), float(np.clip(np.sqrt(spread), 0.03, 0.12))
    return float(mean * white)


def _gaussians(values: np.ndarray, means: np.ndarray, widths: np.ndarray) -> np.ndarray:
    distance = (values[None] - means[:, None]) / widths[:, None]
    return np.exp(-0.5 * distance**2) / (widths[:, None] * np.sqrt(2 * np.pi))


def _starting_means(values: np.ndarray, priors: np.ndarray) -> np.ndarray:
    """Median where the template is sure of grey or white matter; low percentile for CSF."""
    medians = []
    for tissue in (1, 2):
        sure = priors[tissue] > min(SURE_PRIOR, np.quantile(priors[tissue], 0.9))
        if not sure.any():
            message = "expected a brain, found next to no voxels above 0"
            raise ImplausibleImage(message)
        medians.append(float(np.median(values[sure])))
    return np.array([0.4 * medians[0], *medians])


def _check_order(means: np.ndarray) -> None:
    csf, grey, white = means
    if not (0 <= csf < grey and white - grey >= SMALLEST_CONTRAST * white > 0):
        message = (
            "expected CSF darker than grey matter darker than white matter, found means "
            f"{csf:.3f}, {grey:.3f}, {white:.3f}"
        )
        raise ImplausibleImage(message)
