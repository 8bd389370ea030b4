"""What every autoencoder offers to training, encoding and decoding."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

LOG_VARIANCE_LIMITS = (-30.0, 20.0)
"""Keeps exp() finite in float32; the limits of Rombach et al. (2022)."""

HEADS = "heads."
"""What the names of weights begin with that belong to heads, not to the autoencoder."""

INITIAL_LOG_VARIANCE = -6.0
"""Where training starts: noise of standard deviation 0.05, small beside fresh means. From 0
(standard deviation 1) a draw of the latent drowns the signal for the first hundreds of steps."""


class Autoencoder(nn.Module):
    """Maps volumes (B, 1, D, H, W) to Gaussian latents and latents back to volumes.

    Attributes
    ----------
    downsampling
        Voxels per latent element along each axis; D, H, W are divisible by it.
    heads
        Answers to tasks that are trained with it, or None; no part of encoding and decoding.
    """

    heads: "Heads | None"

    def __init__(self, downsampling: int) -> None:
        super().__init__()
        self.downsampling = downsampling
        self.heads = None

    @abstractmethod
    def encode(self, volume: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance, each (B, C, d, h, w), of volumes (B, 1, D, H, W)."""

    @abstractmethod
    def decode(self, latent: Tensor) -> Tensor:
        """Volumes (B, 1, D, H, W), not clamped, of latents (B, C, d, h, w)."""

    def forward(self, volume: Tensor) -> Tensor:  # (B, 1, D, H, W) -> same
        """Reconstruct volumes through the latent mean."""
        return self.decode(self.encode(volume)[0])


class Heads(nn.Module):
    """Answers to tasks from the latent mean, trained on the labels of training scans."""

    @abstractmethod
    def centre_on(self, mean: Tensor) -> None:
        """Take centre and scale of the means (N, C, d, h, w) of fresh weights."""

    @abstractmethod
    def losses(self, mean: Tensor, rows: Sequence[int]) -> dict[str, Tensor]:
        """Loss of every task on training scans with means (B, C, d, h, w), by its name."""

    @abstractmethod
    def describe(self) -> list[dict[str, Any]]:
        """Return what the model's card says of the heads."""


def without_heads(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of the autoencoder alone."""
    return {name: tensor for name, tensor in weights.items() if not name.startswith(HEADS)}


def split_statistics(statistics: Tensor) -> tuple[Tensor, Tensor]:
    """Split (B, 2 C, ...) into mean and clamped log-variance."""
    mean, log_variance = torch.chunk(statistics, 2, dim=1)
    return mean, log_variance.clamp(*LOG_VARIANCE_LIMITS)


def start_with_little_noise(layer: nn.Module, channels: int) -> None:
    """Set the last `channels` outputs of a layer, the log-variances, to their initial value."""
    assert isinstance(layer, nn.Conv3d | nn.Linear)
    assert layer.bias is not None
    with torch.no_grad():
        layer.weight[-channels:] = 0
        layer.bias[-channels:] = INITIAL_LOG_VARIANCE
