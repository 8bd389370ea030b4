"""Anatomy drawn at random: label maps under affines, smooth warps and moving ventricle walls.

Poses vary only as much as an affine registration leaves them.
"""

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor

from brainlapse.segmenter.anatomies import LATTICE_MM, Anatomy
from brainlapse.segmenter.settings import SynthesisSettings
from brainlapse.space import Grid, grid_at

SHAPE = (160, 192, 160)
GRID = grid_at(1.0, SHAPE)
LATTICE = Grid(
    shape=(42, 50, 42),
    affine=grid_at(LATTICE_MM, (42, 50, 42)).affine,
)
"""Points on which warps are drawn; reaches beyond the grid on all sides."""


def draw_labels(
    anatomy: Anatomy,
    settings: SynthesisSettings,
    patch: tuple[int, int, int],
    first: tuple[int, ...],
    rng: np.random.Generator,
    generator: torch.Generator,
) -> tuple[Tensor, bool]:
    """Deform a label map: ids int16 (D, H, W) of a patch, and whether it was mirrored."""
    mirrored = bool(rng.random() < 0.5)
    voxels = _source_voxels(anatomy, settings, patch, first, rng, generator, mirrored)
    return sample_labels(anatomy.labels, voxels), mirrored


def draw_transform(settings: SynthesisSettings, rng: np.random.Generator) -> np.ndarray:
    """Draw an affine (4, 4) about the middle of the grid, such as a registration leaves."""
    angles = np.deg2rad(rng.normal(0, settings.rotation_deg, 3))
    linear = np.eye(3)
    for axis, angle in enumerate(angles):
        turn = np.eye(3)
        first, second = [other for other in range(3) if other != axis]
        turn[[first, second, first, second], [first, second, second, first]] = (
            np.cos(angle), np.cos(angle), -np.sin(angle), np.sin(angle),
        )  # fmt: skip
        linear = linear @ turn
    linear = linear @ np.diag(np.exp(rng.normal(0, settings.scale, 3)))
    shear = np.eye(3)
    shear[np.triu_indices(3, 1)] = rng.normal(0, settings.shear, 3)
    transform = np.eye(4)
    transform[:3, :3] = linear @ shear
    middle = GRID.affine[:3, 3] + (np.asarray(SHAPE) - 1) / 2
    transform[:3, 3] = middle - transform[:3, :3] @ middle + rng.normal(0, settings.shift_mm, 3)
    return transform


def smooth_noise(
    shape: tuple[int, ...], nodes: tuple[int, ...], channels: int, generator: torch.Generator
) -> Tensor:
    """Smooth random field (channels, *shape) of unit SD at its nodes."""
    coarse = torch.randn((1, channels, *nodes), generator=generator)
    field = functional.interpolate(coarse, size=shape, mode="trilinear", align_corners=True)
    return field[0]


def _source_voxels(
    anatomy: Anatomy,
    settings: SynthesisSettings,
    patch: tuple[int, int, int],
    first: tuple[int, ...],
    rng: np.random.Generator,
    generator: torch.Generator,
    mirrored: bool,
) -> Tensor:
    """Voxel of the label map (3, D, H, W) from which each voxel of the patch takes its label."""
    axes = [torch.arange(size, dtype=torch.float32) for size in LATTICE.shape]
    lattice = torch.stack(torch.meshgrid(*axes, indexing="ij"))  # (3, x, y, z)
    points = _transform(LATTICE.affine, lattice)  # MNI mm
    nodes = int(rng.integers(4, 11))
    warp = smooth_noise(LATTICE.shape, (nodes, nodes + 1, nodes), 3, generator)
    strength_mm = rng.uniform(0, settings.warp_mm)
    walls_mm = rng.uniform(*settings.ventricle_mm)
    moved = points + strength_mm * warp
    if mirrored:
        moved[0] = -moved[0]
    moved = _transform(draw_transform(settings, rng), moved)
    # Where the wall has moved outwards, the label is taken from further inside.
    push = torch.from_numpy(anatomy.ventricle_push)
    if mirrored:
        push = push.flip(1)
    moved = moved - walls_mm * push
    source = _transform(anatomy.from_mni, moved)
    # From the lattice to the voxels of the patch: one trilinear interpolation.
    start = (GRID.affine[:3, 3] + np.asarray(first) - LATTICE.affine[:3, 3]) / LATTICE_MM
    places = [
        (start[axis] + torch.arange(patch[axis]) / LATTICE_MM) / (LATTICE.shape[axis] - 1) * 2 - 1
        for axis in range(3)
    ]
    for axis in range(3):
        source = _interpolate_axis(source, places[axis].float(), axis)
    return source


def _interpolate_axis(field: Tensor, places: Tensor, axis: int) -> Tensor:
    """Linear interpolation of (C, x, y, z) along one axis, at places -1..1."""
    size = field.shape[axis + 1]
    position = ((places + 1) / 2 * (size - 1)).clamp(0, size - 1)
    low = position.floor().long().clamp(max=size - 2)
    shape = [1, 1, 1, 1]
    shape[axis + 1] = len(places)
    share = (position - low).view(shape)
    before, after = field.index_select(axis + 1, low), field.index_select(axis + 1, low + 1)
    return torch.lerp(before, after, share)


def _transform(matrix: np.ndarray, points: Tensor) -> Tensor:
    rows = torch.from_numpy(matrix.astype(np.float32))
    flat = rows[:3, :3] @ points.reshape(3, -1) + rows[:3, 3:]
    return flat.view(points.shape)


def sample_labels(labels: np.ndarray, voxels: Tensor) -> Tensor:
    """Nearest label of voxel coordinates (3, D, H, W); 0 outside the map. int16 (D, H, W)."""
    shape = labels.shape
    index = voxels.round().to(torch.int32)
    flat = torch.zeros(index.shape[1:], dtype=torch.int64)
    inside = torch.ones(index.shape[1:], dtype=torch.bool)
    for axis, size in enumerate(shape):
        inside &= (index[axis] >= 0) & (index[axis] < size)
        flat = flat * size + index[axis].clamp(0, size - 1)
    found = torch.from_numpy(labels.astype(np.int16)).flatten()[flat.flatten()].view(flat.shape)
    return torch.where(inside, found, 0)
