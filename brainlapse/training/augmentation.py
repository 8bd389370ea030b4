"""Random smooth warps, left-right flips and contrast of training volumes, on their device."""

import torch
import torch.nn.functional as functional
from torch import Tensor

from brainlapse.training.settings import AugmentationSettings


def augment(volumes: Tensor, settings: AugmentationSettings, voxel_mm: float) -> Tensor:
    """Change every volume at random; draws from the global random state.

    Parameters
    ----------
    volumes
        (B, 1, D, H, W), axes RAS+, values 0 to 1, background 0.
    voxel_mm
        Edge of a voxel.

    Returns
    -------
    torch.Tensor
        Of the same shape, values 0 to 1.
    """
    changed = flip(volumes, settings.flip_probability)
    if settings.warp_mm > 0 and settings.warp_probability > 0:
        changed = warp(changed, settings, voxel_mm)
    return change_contrast(changed, settings.gamma, settings.gain)


def flip(volumes: Tensor, probability: float) -> Tensor:
    """Mirror some of the volumes left to right (the first spatial axis)."""
    chosen = _chosen(volumes, probability)
    return torch.where(chosen, volumes.flip(2), volumes)


def warp(volumes: Tensor, settings: AugmentationSettings, voxel_mm: float) -> Tensor:
    """Move the anatomy of some of the volumes along random smooth displacements."""
    displacement = random_displacement(
        tuple(volumes.shape[2:]),
        volumes.shape[0],
        settings.warp_mm,
        settings.warp_spacing_mm,
        voxel_mm,
    ).to(volumes)
    displacement = displacement * _chosen(volumes, settings.warp_probability)
    return displace(volumes, displacement / voxel_mm)


def random_displacement(
    shape: tuple[int, ...], count: int, deviation_mm: float, spacing_mm: float, voxel_mm: float
) -> Tensor:
    """Draw smooth displacement fields in mm, (B, 3, D, H, W).

    Independent normal displacements on a coarse lattice, smoothed once by the 1-2-1 kernel
    and interpolated; scaled so that a lattice point has the given standard deviation.
    """
    lattice = [max(2, round(size * voxel_mm / spacing_mm) + 1) for size in shape]
    coarse = torch.randn(count, 3, *(size + 2 for size in lattice))
    kernel = torch.tensor([0.25, 0.5, 0.25])
    cube = torch.einsum("i,j,k->ijk", kernel, kernel, kernel).expand(3, 1, 3, 3, 3)
    smooth = functional.conv3d(coarse, cube / cube[0].norm(), groups=3)  # unit variance
    field = functional.interpolate(smooth, size=shape, mode="trilinear", align_corners=True)
    return deviation_mm * field


def displace(volumes: Tensor, displacement: Tensor) -> Tensor:
    """Sample volumes (B, 1, D, H, W) at voxel + displacement (B, 3, D, H, W), in voxels."""
    shape = volumes.shape[2:]
    axes = [torch.arange(size, device=volumes.device, dtype=volumes.dtype) for size in shape]
    places = torch.stack(torch.meshgrid(*axes, indexing="ij")) + displacement  # (B, 3, D, H, W)
    sizes = torch.tensor(shape, device=volumes.device, dtype=volumes.dtype).view(3, 1, 1, 1)
    unit = places * 2 / (sizes - 1) - 1
    grid = unit.flip(1).movedim(1, -1)  # grid_sample wants the last axis first
    return functional.grid_sample(volumes, grid, align_corners=True)


def change_contrast(volumes: Tensor, gamma: float, gain: float) -> Tensor:
    """Raise every volume to a random exponent, times a random factor; values stay 0 to 1."""
    shape = (volumes.shape[0], 1, 1, 1, 1)
    exponent = torch.exp(gamma * torch.randn(shape)).to(volumes)
    factor = torch.exp(gain * torch.randn(shape)).to(volumes)
    return (factor * volumes.clamp(0, 1) ** exponent).clamp(0, 1)


def _chosen(volumes: Tensor, probability: float) -> Tensor:
    """Draw which volumes are changed: booleans (B, 1, 1, 1, 1)."""
    return (torch.rand(volumes.shape[0], 1, 1, 1, 1) < probability).to(volumes.device)
