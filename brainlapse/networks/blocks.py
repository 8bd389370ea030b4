"""Blocks of voxels as channels, and back (space-to-depth)."""

from torch import Tensor


def space_to_depth(volume: Tensor, factor: int) -> Tensor:
    """Move blocks of f^3 voxels into channels: (B, C, D, H, W) -> (B, C f^3, D/f, H/f, W/f)."""
    batch, channels, *sizes = volume.shape
    depth, height, width = (size // factor for size in sizes)
    blocks = volume.reshape(batch, channels, depth, factor, height, factor, width, factor)
    return blocks.permute(0, 1, 3, 5, 7, 2, 4, 6).reshape(
        batch, channels * factor**3, depth, height, width
    )


def depth_to_space(features: Tensor, factor: int) -> Tensor:
    """Inverse of `space_to_depth`: (B, C f^3, d, h, w) -> (B, C, d f, h f, w f)."""
    batch, stacked, depth, height, width = features.shape
    channels = stacked // factor**3
    blocks = features.reshape(batch, channels, factor, factor, factor, depth, height, width)
    return blocks.permute(0, 1, 5, 2, 6, 3, 7, 4).reshape(
        batch, channels, depth * factor, height * factor, width * factor
    )
