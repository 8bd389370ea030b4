"""T1-weighted brains in MNI space, drawn from label maps by domain randomisation.

Billot et al. (2023), Medical Image Analysis 86:102789, with two changes: most contrasts look
T1-weighted, and poses vary only as much as an affine registration leaves them.
All volumes are at 1 mm on the segmenter's grid; a patch of it is drawn at a time.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor

from brainlapse.segmentation.classes import class_table, right_table
from brainlapse.segmenter.anatomies import FOLDED, OUTSIDE, TABLE_SIZE, Anatomy
from brainlapse.segmenter.deformation import GRID, SHAPE, draw_labels, smooth_noise
from brainlapse.segmenter.settings import SynthesisSettings

WHITE_MATTER = 0.85
T1_MEANS = {
    2: 0.85, 3: 0.54, 4: 0.05, 5: 0.08, 7: 0.82, 8: 0.52, 10: 0.69, 11: 0.58, 12: 0.62, 13: 0.75,
    14: 0.07, 15: 0.07, 16: 0.79, 17: 0.55, 18: 0.54, 24: 0.10, 26: 0.56, 28: 0.76,
    25: 0.68, 30: 0.35, 72: 0.06, 85: 0.65, 136: 0.25, 137: 0.25,
}  # fmt: skip
"""Typical intensities after the chain's normalisation, by label of the left side."""
MIRRORS = {
    41: 2, 42: 3, 43: 4, 44: 5, 46: 7, 47: 8, 49: 10, 50: 11, 51: 12, 52: 13, 53: 17, 54: 18,
    58: 26, 60: 28, 57: 25, 62: 30, 163: 136, 164: 137,
}  # fmt: skip
BRAIN_BLUR_VOXELS = 3.0


@dataclass(frozen=True)
class Drawing:
    """One synthetic patch.

    Attributes
    ----------
    image
        float32 (D, H, W), 0..1, 0 outside the mask.
    mask
        bool (D, H, W), what stripping left.
    classes
        uint8 (D, H, W), class numbers; background outside the mask.
    right
        bool (D, H, W), voxels of structures of the right side; means nothing elsewhere.
    first
        Voxel of the grid with which the patch begins.
    """

    image: Tensor
    mask: Tensor
    classes: Tensor
    right: Tensor
    first: tuple[int, int, int]


def draw_patch(
    anatomy: Anatomy,
    settings: SynthesisSettings,
    patch: tuple[int, int, int],
    rng: np.random.Generator,
) -> Drawing:
    """Draw an image and its truth for a random patch of the grid."""
    steps = [(size - edge) // 2 for size, edge in zip(SHAPE, patch, strict=True)]
    x, y, z = (2 * int(rng.integers(0, step + 1)) for step in steps)
    first = (x, y, z)
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    labels, mirrored = draw_labels(anatomy, settings, patch, first, rng, generator)
    mask = draw_mask(labels, first, rng, generator)
    image = draw_image(labels, mask, settings, rng, generator)
    known = _tables()
    classes = torch.where(mask, known[0][labels.long()], 0)
    right = known[1][labels.long()] ^ mirrored
    return Drawing(image, mask, classes, right, first)


def draw_mask(
    labels: Tensor, first: tuple[int, ...], rng: np.random.Generator, generator: torch.Generator
) -> Tensor:
    """Strip as brain extraction does: sometimes too tight, sometimes too wide, cut at the neck."""
    shape = tuple(labels.shape)
    inside = ((labels > 0) & (labels < OUTSIDE)).float()
    share = blur(inside, BRAIN_BLUR_VOXELS)
    threshold = rng.uniform(0.25, 0.85) + 0.08 * smooth_noise(shape, (5, 5, 5), 1, generator)[0]
    height = GRID.affine[2, 3] + first[2] + torch.arange(shape[2])  # mm
    depth = GRID.affine[1, 3] + first[1] + torch.arange(shape[1])
    tilt = np.tan(np.deg2rad(rng.normal(0, 6)))
    floor_mm = rng.uniform(-80, -56) + tilt * (depth + 30)
    return (share > threshold) & (height[None, None, :] > floor_mm[None, :, None])


def draw_image(
    labels: Tensor,
    mask: Tensor,
    settings: SynthesisSettings,
    rng: np.random.Generator,
    generator: torch.Generator,
) -> Tensor:
    """Draw intensities, acquire them at some resolution, strip and normalise."""
    shape = tuple(labels.shape)
    means, deviations = (torch.from_numpy(t)[labels.long()] for t in draw_tissues(settings, rng))
    image = means + deviations * torch.randn(shape, generator=generator)
    image = acquire(image, settings, rng, generator)
    decoded = rng.random() < settings.decoded
    log_bias = rng.uniform(0, settings.bias) * smooth_noise(shape, (4, 4, 4), 1, generator)[0]
    image = image.clamp(min=0) * torch.exp(log_bias)
    image = image.clamp(min=1e-6) ** float(np.exp(rng.normal(0, 0.12)))
    image = image * float(rng.uniform(0.92, 1.08)) + float(rng.uniform(-0.06, 0.03))
    image = torch.where(mask, image.clamp(0, 1), 0)
    if decoded:
        image = torch.where(mask, blur(image, float(rng.uniform(0.5, 1.6))), 0)
    return image


def draw_tissues(
    settings: SynthesisSettings, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and SD of the intensities of every label, float32 (TABLE_SIZE,) each."""
    means = rng.uniform(0, 1, TABLE_SIZE).astype(np.float32)  # outside the brain: anything
    means[0] = rng.uniform(0, 0.1)
    deviations = rng.uniform(0.01, 0.07, TABLE_SIZE).astype(np.float32)
    random = rng.random() < settings.random_contrast
    contrast = rng.uniform(0.7, 1.3)
    for label, typical in T1_MEANS.items():
        likely = WHITE_MATTER - contrast * (WHITE_MATTER - typical) + rng.normal(0, 0.04)
        means[label] = rng.uniform(0, 1) if random else likely
    for label, left in MIRRORS.items():
        means[label], deviations[label] = means[left], deviations[left]
    if random:  # parts of one tissue keep alike, or the truth could not be told from the image
        for label in (5, 14, 15, 44):
            means[label] = means[4]
    return means, deviations


def acquire(
    image: Tensor, settings: SynthesisSettings, rng: np.random.Generator, generator: torch.Generator
) -> Tensor:
    """Blur to a voxel size, sample there with noise, and interpolate back to 1 mm."""
    kind = rng.random()
    if kind < 0.4:
        sizes_mm = np.ones(3)
    elif kind < 0.8:
        sizes_mm = np.full(3, rng.uniform(1, settings.resolution_mm))
    else:
        sizes_mm = np.ones(3)
        sizes_mm[rng.integers(3)] = rng.uniform(1, settings.resolution_mm)
    noise = rng.uniform(0, settings.noise)
    blurred = blur(image, [float(s) for s in 0.42 * sizes_mm * rng.uniform(0.8, 1.2)])
    shape = [max(8, round(n / s)) for n, s in zip(image.shape, sizes_mm, strict=True)]
    coarse = blurred
    if tuple(shape) != tuple(image.shape):
        coarse = _resize(blurred, shape)
    coarse = coarse + noise * torch.randn(coarse.shape, generator=generator)
    return coarse if coarse.shape == image.shape else _resize(coarse, list(image.shape))


def _resize(volume: Tensor, shape: list[int]) -> Tensor:
    return functional.interpolate(volume[None, None], size=shape, mode="trilinear")[0, 0]


def blur(volume: Tensor, sigma: float | list[float]) -> Tensor:
    """Gaussian of `sigma` voxels, one number or one per axis, edges repeated; (D, H, W)."""
    sigmas = [sigma] * 3 if isinstance(sigma, float) else sigma
    for axis, width in enumerate(sigmas):
        if width < 0.2:
            continue
        reach = max(1, int(2.5 * width + 0.5))
        places = torch.arange(-reach, reach + 1, dtype=torch.float32)
        kernel = torch.exp(-0.5 * (places / width) ** 2)
        kernel = kernel / kernel.sum()
        size = volume.shape[axis]
        rows = torch.arange(-reach, size + reach).clamp(0, size - 1)
        padded = volume.index_select(axis, rows)
        total = torch.zeros_like(volume)
        for offset, weight in enumerate(kernel.tolist()):
            total.add_(padded.narrow(axis, offset, size), alpha=weight)
        volume = total
    return volume


def _tables() -> tuple[Tensor, Tensor]:
    classes, right = class_table(TABLE_SIZE), right_table(TABLE_SIZE)
    for small, structure in FOLDED.items():
        classes[small], right[small] = classes[structure], right[structure]
    return torch.from_numpy(classes), torch.from_numpy(right)
