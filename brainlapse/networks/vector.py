"""The `vector` autoencoder: one latent vector per scan, after Malé et al.

*Generative Latent Representations of 3D Brain MRI for Multi-Task Downstream Analysis in Down
Syndrome* trains variational autoencoders on whole preprocessed brains and works on one compact
latent vector per scan. That and the aim are the paper's. Its abstract and figures do not give the
layers; these are ours: convolutions over blocks of voxels as in the `s2d` family, whose coarsest
maps are flattened, one linear layer to mean and log-variance, one back, and the same convolutions
in reverse; beside them a linear path, without which some hundred steps on some tens of subjects
give the mean brain. An element of the vector has no place in the brain.
"""

import itertools
import math

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from brainlapse.networks.blocks import depth_to_space, space_to_depth
from brainlapse.networks.interface import (
    Autoencoder,
    split_statistics,
    start_with_little_noise,
)
from brainlapse.networks.settings import S2D_STEM_FACTOR, NetworkSettings
from brainlapse.networks.space_to_depth import (
    LINEAR_GAIN,
    Correction,
    build_decoder,
    build_encoder,
)


def cosine_waves(size: int, count: int) -> Tensor:
    """Lowest `count` functions of the cosine transform on an axis, orthonormal (count, size)."""
    places, orders = torch.arange(size) + 0.5, torch.arange(count)
    waves = torch.cos(torch.pi / size * orders[:, None] * places)
    return waves / waves.norm(dim=1, keepdim=True)


class ScaledLinear(nn.Linear):
    """A linear layer whose weights are divided by the root of its inputs as they are used.

    Adam moves every weight by about the learning rate; thousands of inputs together would throw
    the outputs far (the equalised learning rate of Karras et al. 2018).
    """

    def __init__(self, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__(inputs, outputs, bias)
        self.factor = inputs**-0.5
        nn.init.normal_(self.weight)
        if bias:
            nn.init.zeros_(self.bias)

    def forward(self, features: Tensor) -> Tensor:  # (B, inputs) -> (B, outputs)
        """Multiply and shift."""
        return functional.linear(features, self.weight * self.factor, self.bias)


class CosinePath(nn.Module):
    """A linear map between volumes and vectors, beside the deep one.

    It sees a volume's lowest cosine waves, as many per axis as the coarsest maps have elements,
    and starts as the longest of them: the latent carries the blurred scan from the first step.
    Their strengths are divided by `unit`: they are then as large as those of the block means.
    """

    def __init__(
        self, grid_shape: tuple[int, int, int], waves: tuple[int, int, int], size: int
    ) -> None:
        super().__init__()
        self.waves = waves
        for axis, (voxels, count) in enumerate(zip(grid_shape, waves, strict=True)):
            table = cosine_waves(voxels, count)
            self.register_buffer(f"waves_{axis}", table, persistent=False)
        orders = list(itertools.product(*(range(count) for count in waves)))
        lengths = [sum((n / v) ** 2 for n, v in zip(o, grid_shape, strict=True)) for o in orders]
        longest = sorted(range(len(orders)), key=lengths.__getitem__)[:size]
        chosen = torch.zeros(size, len(orders))
        chosen[range(len(longest)), longest] = 1
        self.unit = math.sqrt(math.prod(grid_shape) / math.prod(waves))
        self.analysis = ScaledLinear(len(orders), size, bias=False)
        self.synthesis = ScaledLinear(size, len(orders), bias=False)
        with torch.no_grad():
            self.analysis.weight.copy_(chosen * (LINEAR_GAIN / self.analysis.factor))
            self.synthesis.weight.copy_(chosen.T / (LINEAR_GAIN * self.synthesis.factor))

    def encode(self, volume: Tensor) -> Tensor:  # (B, 1, D, H, W) -> (B, latent size)
        """Project on the waves."""
        tables = (self.waves_0, self.waves_1, self.waves_2)
        found = torch.einsum("bczyx,kz,jy,ix->bckji", volume, *tables)
        return self.analysis(found.flatten(1) / self.unit)

    def decode(self, latent: Tensor) -> Tensor:  # (B, latent size) -> (B, 1, D, H, W)
        """Add up the waves."""
        tables = (self.waves_0, self.waves_1, self.waves_2)
        strengths = self.unit * self.synthesis(latent).unflatten(1, (1, *self.waves))
        return torch.einsum("bckji,kz,jy,ix->bczyx", strengths, *tables)


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
        coarsest = settings.coarsest_shape(grid_shape)
        self.linear = CosinePath(grid_shape, coarsest, size)
        self.maps_shape = (maps, *coarsest)
        self.encoder = build_encoder(settings, maps)
        self.to_statistics = ScaledLinear(math.prod(self.maps_shape), 2 * size)
        self.to_maps = ScaledLinear(size, math.prod(self.maps_shape))
        self.decoder = build_decoder(settings, maps)
        for layer in (self.to_statistics, self.decoder[-1]):
            for weights in layer.parameters():
                nn.init.zeros_(weights)  # the linear path alone at first
        start_with_little_noise(self.to_statistics, size)
        width = settings.correction_channels
        self.correction = Correction(width) if width else nn.Identity()

    def encode(self, volume: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance, each (B, latent size, 1, 1, 1), of volumes (B, 1, D, H, W)."""
        maps = self.encoder(space_to_depth(volume, S2D_STEM_FACTOR))  # (B, C, d, h, w)
        statistics = self.to_statistics(maps.flatten(1))
        mean, log_variance = split_statistics(statistics)
        mean = mean + self.linear.encode(volume)
        return mean[:, :, None, None, None], log_variance[:, :, None, None, None]

    def decode(self, latent: Tensor) -> Tensor:
        """Volumes (B, 1, D, H, W) of latents (B, latent size, 1, 1, 1)."""
        vector = latent.flatten(1)
        maps = self.to_maps(vector).unflatten(1, self.maps_shape)  # (B, C, d, h, w)
        deep = depth_to_space(self.decoder(maps), S2D_STEM_FACTOR)
        return self.correction(deep + self.linear.decode(vector))
