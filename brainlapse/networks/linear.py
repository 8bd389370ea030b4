"""The `pca` autoencoder: mean image and principal components, the linear baseline."""

import torch
from torch import Tensor

from brainlapse.networks.interface import LOG_VARIANCE_LIMITS, Autoencoder


class LinearAutoencoder(Autoencoder):
    """Orthogonal projection of volumes on K components, and back.

    One factor scales all latent elements: their variances over the training scans average to 1,
    and distances between latents stay proportional to distances between (projected) images.
    Scaling each to unit variance would make anatomy and noise equally large.

    Attributes
    ----------
    mean
        (D, H, W), the mean of the training scans.
    components
        (K, D, H, W), orthonormal, in the order of the variance that they carry.
    scale
        Image units per latent unit, scalar.
    """

    mean: Tensor
    components: Tensor
    scale: Tensor

    def __init__(self, components: int, grid_shape: tuple[int, int, int]) -> None:
        super().__init__(downsampling=1)
        self.register_buffer("mean", torch.zeros(grid_shape))
        self.register_buffer("components", torch.zeros(components, *grid_shape))
        self.register_buffer("scale", torch.ones(()))

    def encode(self, volume: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance, each (B, K, 1, 1, 1), of volumes (B, 1, D, H, W).

        A projection has no noise: the log-variance is the lowest that the interface knows.
        """
        centred = (volume - self.mean).flatten(1)  # (B, D H W)
        latent = centred @ self.components.flatten(1).T / self.scale  # (B, K)
        mean = latent[:, :, None, None, None]
        return mean, torch.full_like(mean, LOG_VARIANCE_LIMITS[0])

    def decode(self, latent: Tensor) -> Tensor:
        """Volumes (B, 1, D, H, W) of latents (B, K, 1, 1, 1)."""
        change = self.scale * latent.flatten(1) @ self.components.flatten(1)  # (B, D H W)
        return self.mean + change.unflatten(1, (1, *self.mean.shape))
