"""The `s2d` autoencoder: no expensive convolution runs at full resolution.

Blocks of 4 x 4 x 4 voxels become 64 channels (space-to-depth; Shi et al. 2016, "sub-pixel"
convolution, run backwards), the work is done at 1/4 resolution and below, and the reverse
rearrangement gives the volume back. A small correction removes block edges.
"""

import itertools

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from brainlapse.networks.attention import SelfAttention
from brainlapse.networks.blocks import depth_to_space, space_to_depth
from brainlapse.networks.interface import (
    Autoencoder,
    split_statistics,
    start_with_little_noise,
)
from brainlapse.networks.settings import S2D_STEM_FACTOR, NetworkSettings

LINEAR_GAIN = 4.0
"""Puts fresh latents of scans with values 0 to 1 near unit variance."""


class ResidualBlock(nn.Module):
    """Pre-activation residual block of two 3 x 3 x 3 convolutions at one width."""

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        last = nn.Conv3d(channels, channels, 3, padding=1)
        nn.init.zeros_(last.weight)  # starts as the identity: stable at a high rate
        self.body = nn.Sequential(
            nn.GroupNorm(groups, channels),
            nn.SiLU(),
            nn.Conv3d(channels, channels, 3, padding=1),
            nn.GroupNorm(groups, channels),
            nn.SiLU(),
            last,
        )

    def forward(self, features: Tensor) -> Tensor:  # (B, C, d, h, w) -> same
        """Add the block's change to its input."""
        return features + self.body(features)


class Downsample(nn.Module):
    """Halve the resolution: 2 x 2 x 2 voxels into channels, then a 1 x 1 x 1 convolution."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.mix = nn.Conv3d(8 * channels_in, channels_out, 1)

    def forward(self, features: Tensor) -> Tensor:  # (B, C, d, h, w) -> (B, C', d/2, h/2, w/2)
        """Halve every axis."""
        return self.mix(space_to_depth(features, 2))


class Upsample(nn.Module):
    """Double the resolution: a 1 x 1 x 1 convolution, then channels into 2 x 2 x 2 voxels."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.mix = nn.Conv3d(channels_in, 8 * channels_out, 1)

    def forward(self, features: Tensor) -> Tensor:  # (B, C, d, h, w) -> (B, C', 2d, 2h, 2w)
        """Double every axis."""
        return depth_to_space(self.mix(features), 2)


def _blocks(level: int, settings: NetworkSettings) -> list[nn.Module]:
    width, groups = settings.channels[level], settings.norm_groups
    blocks: list[nn.Module] = [
        ResidualBlock(width, groups) for _ in range(settings.residual_blocks)
    ]
    return [*blocks, SelfAttention(width, groups)] if settings.attention[level] else blocks


def _output(channels_in: int, channels_out: int, groups: int) -> list[nn.Module]:
    return [
        nn.GroupNorm(groups, channels_in),
        nn.SiLU(),
        nn.Conv3d(channels_in, channels_out, 3, padding=1),
    ]


def build_encoder(settings: NetworkSettings, channels_out: int) -> nn.Sequential:
    """Layers from space-to-depth blocks (B, 64, D/4, H/4, W/4) to coarsest maps (B, C, d, h, w)."""
    widths = settings.channels
    layers: list[nn.Module] = [nn.Conv3d(S2D_STEM_FACTOR**3, widths[0], 3, padding=1)]
    for level, width in enumerate(widths):
        if level:
            layers.append(Downsample(widths[level - 1], width))
        layers += _blocks(level, settings)
    return nn.Sequential(*layers, *_output(widths[-1], channels_out, settings.norm_groups))


def build_decoder(settings: NetworkSettings, channels_in: int) -> nn.Sequential:
    """Layers from coarsest maps (B, C, d, h, w) to space-to-depth blocks (B, 64, D/4, H/4, W/4)."""
    widths = settings.channels
    layers: list[nn.Module] = [nn.Conv3d(channels_in, widths[-1], 3, padding=1)]
    for level in reversed(range(len(widths))):
        layers += _blocks(level, settings)
        if level:
            layers.append(Upsample(widths[level], widths[level - 1]))
    return nn.Sequential(*layers, *_output(widths[0], S2D_STEM_FACTOR**3, settings.norm_groups))


class Correction(nn.Module):
    """Residual correction across the edges of the 4 x 4 x 4 blocks.

    Every voxel is corrected by two convolutions, but on 2 x 2 x 2 voxels stacked as channels:
    the same at full resolution with 8 channels took longer than the whole rest of the network.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.widen = nn.Conv3d(8, channels, 3, padding=1)
        self.narrow = nn.Conv3d(channels, 8, 3, padding=1)
        nn.init.zeros_(self.narrow.weight)

    def forward(self, volume: Tensor) -> Tensor:  # (B, 1, D, H, W) -> same
        """Add the correction to the volume."""
        stacked = space_to_depth(volume, 2)  # (B, 8, D/2, H/2, W/2)
        return volume + depth_to_space(self.narrow(functional.silu(self.widen(stacked))), 2)


def block_cosines(factor: int, count: int) -> Tensor:
    """Lowest `count` functions of the 3D cosine transform on a block, orthonormal (count, f^3)."""
    places, orders = torch.arange(factor) + 0.5, torch.arange(factor)
    waves = torch.cos(torch.pi / factor * orders[:, None] * places)  # (f, f)
    waves = waves / waves.norm(dim=1, keepdim=True)
    triples = list(itertools.product(range(factor), repeat=3))
    triples.sort(key=lambda triple: sum(order**2 for order in triple))
    products = [torch.einsum("i,j,k->ijk", *(waves[n] for n in t)) for t in triples[:count]]
    return torch.stack(products).flatten(1)


class LinearPath(nn.Module):
    """A linear map between blocks of f^3 voxels and latent elements, beside the deep one.

    It starts as the block's lowest cosine waves (mean and slopes for 4 channels), so that the
    latent carries the scan from the first step and the deep path learns only what is missing;
    compare the shortcuts of the deep compression autoencoder (Chen et al. 2024).
    """

    def __init__(self, factor: int, channels: int) -> None:
        super().__init__()
        self.factor = factor
        waves = block_cosines(factor, channels)[:, :, None, None, None]  # (C, f^3, 1, 1, 1)
        gain = LINEAR_GAIN / factor**1.5  # a block mean of 1 becomes a latent of LINEAR_GAIN
        self.analysis = nn.Parameter(waves * gain)
        self.synthesis = nn.Parameter(waves.transpose(0, 1) / gain)

    def encode(self, volume: Tensor) -> Tensor:  # (B, 1, D, H, W) -> (B, C, d, h, w)
        """Project every block."""
        return functional.conv3d(space_to_depth(volume, self.factor), self.analysis)

    def decode(self, latent: Tensor) -> Tensor:  # (B, C, d, h, w) -> (B, 1, D, H, W)
        """Add up the waves of every block."""
        return depth_to_space(functional.conv3d(latent, self.synthesis), self.factor)


class SpaceToDepthAutoencoder(Autoencoder):
    """Autoencoder between volumes (B, 1, D, H, W) and latents (B, C, D/f, H/f, W/f)."""

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__(settings.downsampling)
        self.linear = LinearPath(settings.downsampling, settings.latent_channels)
        self.encoder = build_encoder(settings, 2 * settings.latent_channels)
        self.decoder = build_decoder(settings, settings.latent_channels)
        for path in (self.encoder, self.decoder):
            for weights in path[-1].parameters():
                nn.init.zeros_(weights)  # the linear path alone at first
        start_with_little_noise(self.encoder[-1], settings.latent_channels)
        width = settings.correction_channels
        self.correction = Correction(width) if width else nn.Identity()

    def encode(self, volume: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance, each (B, C, d, h, w), of volumes (B, 1, D, H, W)."""
        deep = self.encoder(space_to_depth(volume, S2D_STEM_FACTOR))
        mean, log_variance = split_statistics(deep)
        return mean + self.linear.encode(volume), log_variance

    def decode(self, latent: Tensor) -> Tensor:
        """Volumes (B, 1, D, H, W) of latents (B, C, d, h, w)."""
        deep = depth_to_space(self.decoder(latent), S2D_STEM_FACTOR)
        return self.correction(deep + self.linear.decode(latent))
