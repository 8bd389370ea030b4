"""Reconstructions against their scans, a scan at a time; the mean scan as their baseline."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from brainlapse.images import load_volume
from brainlapse.networks.perceptual import PerceptualDistance, build_features
from brainlapse.space import Grid
from brainlapse.training.data.scans import to_batch
from brainlapse.training.encoding.metrics import reconstruction_metrics

Distance = Callable[[np.ndarray, np.ndarray], float]


@dataclass(frozen=True)
class Judged:
    """A reconstruction beside its scan.

    Attributes
    ----------
    metrics
        Of `reconstruction_metrics`, and `perceptual` where it is measured.
    stripped
        Reconstruction (D, H, W) inside the scan's brain mask, like the scan itself.
    affine
        Voxel to world mm.
    """

    metrics: dict[str, float]
    stripped: np.ndarray
    affine: np.ndarray


def judge(
    reconstruction: np.ndarray, brain: str | Path, mask: str | Path, distance: Distance | None
) -> Judged:
    """Compare a reconstruction (D, H, W), values 0 to 1, with the scan in the file `brain`.

    Parameters
    ----------
    mask
        File of the scan's brain mask.
    distance
        From `perceptual_distance`; None leaves `perceptual` out.
    """
    volume, affine = load_volume(brain)
    inside = load_volume(mask)[0] > 0
    metrics = reconstruction_metrics(reconstruction, volume, inside)
    stripped = np.where(inside, reconstruction, 0).astype(np.float32)
    if distance is not None:
        metrics["perceptual"] = distance(stripped, volume)
    return Judged(metrics, stripped, affine)


def perceptual_distance(grid: Grid, device: torch.device) -> Distance:
    """Distance of two volumes (D, H, W) on a grid in the embedded segmenter's features."""
    network = PerceptualDistance(build_features("segmenter", "", grid)).to(device)

    @torch.inference_mode()
    def measure(first: np.ndarray, second: np.ndarray) -> float:
        return float(network(to_batch(first[None], device), to_batch(second[None], device)))

    return measure
