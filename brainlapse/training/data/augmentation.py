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
    extent_mm = [size * voxel_mm for size in volumes.shape[2:]]
    lattice = random_displacement(
        volumes.shape[0], extent_mm, settings.warp_mm, settings.warp_spacing_mm
    ).to(volumes)
    lattice = lattice * _chosen(volumes, settings.warp_probability)
    return displace(volumes, lattice / voxel_mm)


def random_displacement(
    count: int, extent_mm: list[float], deviation_mm: float, spacing_mm: float
) -> Tensor:
    """Draw smooth displacements [mm] on a coarse lattice over the grid, (B, 3, l, m, n).

    Independent normal displacements, smoothed once by the 1-2-1 kernel and scaled so that each
    has the given standard deviation.
    """
    lattice = [max(2, round(extent / spacing_mm) + 1) for extent in extent_mm]
    noise = torch.randn(count, 3, *(size + 2 for size in lattice))
    kernel = torch.tensor([0.25, 0.5, 0.25])
    cube = torch.einsum("i,j,k->ijk", kernel, kernel, kernel).expand(3, 1, 3, 3, 3)
    return deviation_mm * functional.conv3d(noise, cube / cube[0].norm(), groups=3)


def displace(volumes: Tensor, displacement: Tensor) -> Tensor:
    """Sample volumes at voxel + displacement.

    Parameters
    ----------
    volumes
        (B, 1, D, H, W).
    displacement
        (B, 3, l, m, n) in voxels, on a lattice from the first to the last voxel centre of each
        axis; interpolated linearly. Positions are interpolated, not displacements: the same,
        as the identity is linear, and half the work at full size.
    """
    batch, shape = volumes.shape[0], list(volumes.shape[2:])
    sizes = torch.tensor(shape, device=volumes.device, dtype=volumes.dtype).view(3, 1, 1, 1)
    unit = (2 * displacement / (sizes - 1)).flip(1)  # grid_sample wants the last axis first
    identity = torch.eye(3, 4, device=volumes.device, dtype=volumes.dtype).expand(batch, 3, 4)
    places = functional.affine_grid(identity, [batch, 1, *unit.shape[2:]], align_corners=True)
    places = places.movedim(-1, 1) + unit  # (B, 3, l, m, n)
    full = functional.interpolate(places, size=shape, mode="trilinear", align_corners=True)
    return functional.grid_sample(volumes, full.movedim(1, -1), align_corners=True)


def change_contrast(volumes: Tensor, gamma: float, gain: float) -> Tensor:
    """Raise every volume to a random exponent, times a random factor; values stay 0 to 1."""
    shape = (volumes.shape[0], 1, 1, 1, 1)
    exponent = torch.exp(gamma * torch.randn(shape)).to(volumes)
    factor = torch.exp(gain * torch.randn(shape)).to(volumes)
    return (factor * volumes.clamp(0, 1) ** exponent).clamp(0, 1)


def _chosen(volumes: Tensor, probability: float) -> Tensor:
    """Draw which volumes are changed: booleans (B, 1, 1, 1, 1)."""
    return (torch.rand(volumes.shape[0], 1, 1, 1, 1) < probability).to(volumes.device)
