"""The `vector` autoencoder: one latent vector per scan, after Malé et al.

*Generative Latent Representations of 3D Brain MRI for Multi-Task Downstream Analysis in Down
Syndrome* trains variational autoencoders on whole preprocessed brains and works on one compact
latent vector per scan. That and the aim are the paper's. Its abstract and figures do not give the
layers; these are ours: convolutions over blocks of voxels as in the `s2d` family, whose coarsest
maps are flattened, one linear layer to mean and log-variance, one back, and the same convolutions
in reverse. A vector has no place in the brain: neighbouring anatomy shares all of its elements.
"""

import math

from torch import Tensor, nn

from brainlapse.networks.blocks import depth_to_space, space_to_depth
from brainlapse.networks.interface import (
    Autoencoder,
    split_statistics,
    start_with_little_noise,
)
from brainlapse.networks.settings import S2D_STEM_FACTOR, NetworkSettings
from brainlapse.networks.space_to_depth import Correction, build_decoder, build_encoder


class VectorAutoencoder(Autoencoder):
    """Autoencoder between volumes (B, 1, D, H, W) and latents (B, latent size, 1, 1, 1).

    Parameters
    ----------
    settings
        Of the family `vector`.
    grid_shape
        D, H, W; the linear layers fit this grid only.

    Raises
    ------
    ValueError
        If the grid is not divisible by the downsampling.
    """

    def __init__(self, settings: NetworkSettings, grid_shape: tuple[int, int, int]) -> None:
        super().__init__(settings.downsampling)
        if any(size % settings.downsampling for size in grid_shape):
            message = (
                f"space.shape: expected axes divisible by {settings.downsampling}, the "
                f"downsampling of network.channels, found {list(grid_shape)}; use another grid or "
                "fewer levels"
            )
            raise ValueError(message)
        maps, size = settings.flattened_channels, settings.latent_size
        self.maps_shape = (maps, *settings.coarsest_shape(grid_shape))
        self.encoder = build_encoder(settings, maps)
        self.to_statistics = nn.Linear(math.prod(self.maps_shape), 2 * size)
        start_with_little_noise(self.to_statistics, size)
        self.to_maps = nn.Linear(size, math.prod(self.maps_shape))
        self.decoder = build_decoder(settings, maps)
        width = settings.correction_channels
        self.correction = Correction(width) if width else nn.Identity()

    def encode(self, volume: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance, each (B, latent size, 1, 1, 1), of volumes (B, 1, D, H, W)."""
        maps = self.encoder(space_to_depth(volume, S2D_STEM_FACTOR))  # (B, C, d, h, w)
        statistics = self.to_statistics(maps.flatten(1))
        return split_statistics(statistics[:, :, None, None, None])

    def decode(self, latent: Tensor) -> Tensor:
        """Volumes (B, 1, D, H, W) of latents (B, latent size, 1, 1, 1)."""
        maps = self.to_maps(latent.flatten(1)).unflatten(1, self.maps_shape)
        return self.correction(depth_to_space(self.decoder(maps), S2D_STEM_FACTOR))
