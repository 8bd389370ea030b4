"""Heads drawn from label maps: one mean per tissue, a bias field, noise."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from benchmarks.heads.head import Head
from benchmarks.segmentation import OUTSIDE_BRAIN

WHITE = 400.0  # white matter of drawn heads
BIAS = 1.4  # strongest over mean
NOISE = 0.03  # of white matter
CEREBELLUM = (7, 8, 46, 47)
FLUID = (4, 5, 14, 15, 24, 43, 44)
WHITE_MATTER = (2, 7, 16, 28, 41, 46, 60)
BONE = (506, 515)
OUTSIDE = 500  # ids above it are tissue outside the brain
GROUPS = {
    "intracranial": list(range(1, OUTSIDE)),
    "white_matter": [2, 41],
    "ventricles": [4, 5, 14, 15, 43, 44],
    "cortical_csf": [24],
}

Means = Callable[[np.ndarray, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class DrawnHead:
    """A drawn head, and the logarithm of its bias field, (X, Y, Z)."""

    head: Head
    log_bias: np.ndarray


def like_t1(labels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Mean of every label: outside the brain as on T1-weighted scans, give or take a fifth."""
    means = _brain_means(labels)
    for outside in np.unique(labels[labels >= OUTSIDE]):
        typical = WHITE / 0.85 * OUTSIDE_BRAIN.get(int(outside), 0.3)
        means[outside] = typical * random.uniform(0.8, 1.2)
    return means


def without_bright_fat(labels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Mean of every label: bone dark, all else outside the brain 0.55 to 1 of white matter."""
    means = _brain_means(labels)
    for outside in np.unique(labels[labels >= OUTSIDE]):
        dark = int(outside) in BONE
        means[outside] = WHITE * (0.1 if dark else random.uniform(60, 110) / 110)
    return means


def _brain_means(labels: np.ndarray) -> np.ndarray:
    means = np.zeros(int(labels.max()) + 1)
    means[1:OUTSIDE] = 0.62 * WHITE
    means[list(FLUID)], means[list(WHITE_MATTER)] = 0.22 * WHITE, WHITE
    return means


def draw_head(
    labels: np.ndarray, affine: np.ndarray, random: np.random.Generator, means_of: Means = like_t1
) -> DrawnHead:
    """Draw a head (X, Y, Z); its brain ends with the cerebellum, though label maps go on below."""
    inside = (labels > 0) & (labels < OUTSIDE)
    lowest = np.flatnonzero(np.isin(labels, CEREBELLUM).any(axis=(0, 1)))[0]
    above = np.arange(labels.shape[2]) >= lowest
    means = means_of(labels, random)
    knots = random.normal(size=(4, 4, 4))
    field = ndimage.zoom(knots, np.array(labels.shape) / 4, order=3, mode="nearest")
    field *= np.log(BIAS) / np.abs(field[inside & above]).max()
    volume = ndimage.gaussian_filter(means[labels], 0.5) * np.exp(field)
    noise = random.normal(0, NOISE * WHITE, (2, *labels.shape))
    noisy = np.hypot(volume + noise[0], noise[1]).astype(np.float32)
    kept = np.where(inside & ~above, 0, labels)
    return DrawnHead(Head(noisy, kept, affine, GROUPS), field)
