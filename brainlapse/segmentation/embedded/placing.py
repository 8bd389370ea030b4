"""Brains on the segmenter's grid, and their labels back in the scan's space."""

import itertools
import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as functional
from scipy import ndimage
from torch import Tensor

from brainlapse.images import resample_to_grid
from brainlapse.networks.segmenter import BLOCK
from brainlapse.preprocessing.orientation import voxel_sizes_mm
from brainlapse.segmentation.classes import CLASSES
from brainlapse.segmentation.embedded.network import GRID, find_body
from brainlapse.segmentation.embedded.posteriors import Posteriors, label_classes
from brainlapse.segmentation.errors import ImplausibleImage
from brainlapse.space import Grid

CHUNK = 200_000  # voxels carried back at once
CORNERS = torch.tensor(list(itertools.product((0, 1), repeat=3)), dtype=torch.int32)  # (8, 3)


@dataclass(frozen=True)
class PlacedBrain:
    """A brain on the segmenter's grid.

    Attributes
    ----------
    volume, mask
        float32 and bool, on `GRID`.
    from_mni
        MNI mm to scan mm, (4, 4); its determinant is native volume / MNI volume.
    """

    volume: np.ndarray
    mask: np.ndarray
    from_mni: np.ndarray


def place_mni_brain(volume: np.ndarray, affine: np.ndarray) -> PlacedBrain:
    """Take a stripped brain that already lies in MNI space as it is.

    Raises
    ------
    ImplausibleImage
        Where it shows no brain.
    """
    voxel_mm = float(abs(np.linalg.det(affine[:3, :3])) ** (1 / 3))
    body = find_body(volume, voxel_mm)
    share = resample_to_grid(body, affine, GRID)
    mask = share > 0.5
    return PlacedBrain(resample_to_grid(volume, affine, GRID) * mask, mask, np.eye(4))


def take_prepared(volume: np.ndarray, affine: np.ndarray) -> PlacedBrain:
    """Take a brain that was prepared for the network: on its grid, 0 exactly outside the brain.

    Raises
    ------
    ImplausibleImage
        Where it lies on another grid, or is empty.
    """
    if volume.shape != GRID.shape or not np.allclose(affine, GRID.affine, atol=1e-3):
        message = f"expected a brain on the network's grid {GRID.shape}, found {volume.shape}"
        raise ImplausibleImage(message)
    mask = volume > 0
    if not mask.any():
        message = "expected a brain, found zeros"
        raise ImplausibleImage(message)
    return PlacedBrain(volume, mask, np.eye(4))


def carry_back(posteriors: Posteriors, from_mni: np.ndarray, grid: Grid) -> np.ndarray:
    """Labels on a grid in the scan's space, by interpolating the posteriors; uint8.

    Parameters
    ----------
    posteriors
        In MNI space.
    from_mni
        MNI mm to scan mm, (4, 4).
    grid
        Where the labels are wanted, in the scan's world.
    """
    to_voxel = np.linalg.inv(posteriors.grid.affine) @ np.linalg.inv(from_mni) @ grid.affine
    box = _covered_box(posteriors, to_voxel, grid.shape)
    labels = np.zeros(grid.shape, dtype=np.uint8)
    table, numbers = lookup_table(posteriors)
    answers = _labels_of(table)[numbers].view(-1)
    planes = max(1, CHUNK // max(1, math.prod(side.stop - side.start for side in box[1:])))
    for start in range(box[0].start, box[0].stop, planes):
        part = (slice(start, min(start + planes, box[0].stop)), *box[1:])
        low, share = split_places(_voxels_of(part, to_voxel).view(-1, 3), numbers.shape)
        corners = corner_numbers(low, numbers.stride())  # (N, 8)
        around = answers[corners]
        found = around[:, 0].clone()
        # Where all eight agree, so does every average of theirs: only borders are interpolated.
        border = (around != found[:, None]).any(dim=1).nonzero()[:, 0]
        lines = numbers.view(-1)[corners[border]]
        found[border] = _labels_of(interpolate(table, lines, share[border]))
        labels[part] = found.view([side.stop - side.start for side in part]).numpy()
    return labels


def _labels_of(rows: Tensor) -> Tensor:
    """Most probable FreeSurfer label of rows (N, CLASSES + 1), uint8 (N)."""
    return label_classes(rows[:, :CLASSES].argmax(dim=1), rows[:, CLASSES] > 0.5)


def lookup_table(posteriors: Posteriors) -> tuple[Tensor, Tensor]:
    """Return what every voxel holds, and where it stands.

    Returns
    -------
    tuple
        Table (M, CLASSES + 1), background in the last line; and the line of every voxel of the
        grid, int64 (X + 2, Y + 2, Z + 2), with a rim of background around it.
    """
    rows = posteriors.rows.view(-1, CLASSES + 1)
    background = torch.zeros((1, CLASSES + 1))
    background[0, 0] = 1
    lines = torch.arange(len(rows)).view(-1, BLOCK**3) - len(rows)
    numbers = posteriors.place(lines) + len(rows)  # what is not placed, 0, becomes the last line
    return torch.cat([rows, background]), functional.pad(numbers, (1,) * 6, value=len(rows))


def split_places(voxels: Tensor, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Lowest corner (N, 3), and share of the way from it to the next (N, 3), of voxel places.

    Both on a grid of `shape` that has a rim of one voxel around the posteriors' own.
    """
    # Beyond the rim is background as on it.
    places = torch.minimum((voxels + 1).clamp(min=0), torch.tensor(shape) - 1.001)
    low = places.int()
    return low, places - low


def corner_numbers(low: Tensor, strides: tuple[int, ...]) -> Tensor:
    """Flat numbers of the eight voxels around each place, (N, 3) -> int32 (N, 8)."""
    steps = torch.tensor(strides, dtype=torch.int32)
    return (low * steps).sum(dim=1, dtype=torch.int32)[:, None] + (CORNERS * steps).sum(
        dim=1, dtype=torch.int32
    )


def interpolate(table: Tensor, lines: Tensor, share: Tensor) -> Tensor:
    """Trilinear interpolation between lines (N, 8) of a `lookup_table`, (N, CLASSES + 1)."""
    weights = torch.where(CORNERS > 0, share[:, None], 1 - share[:, None]).prod(dim=-1)
    return functional.embedding_bag(lines, table, mode="sum", per_sample_weights=weights)


def _voxels_of(part: tuple[slice, ...], to_voxel: np.ndarray) -> Tensor:
    """Coordinates (x, y, z, 3) in the posteriors' grid of a part of the target grid."""
    axes = [torch.arange(side.start, side.stop, dtype=torch.float32) for side in part]
    points = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)
    matrix = torch.from_numpy(to_voxel.astype(np.float32))
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def _covered_box(
    posteriors: Posteriors, to_voxel: np.ndarray, shape: tuple[int, ...]
) -> tuple[slice, ...]:
    """Box of the target grid that holds the brain."""
    inside = ndimage.find_objects(posteriors.wanted.to(torch.uint8).numpy())
    if not inside:
        return tuple(slice(0, 0) for _ in shape)
    ends = [(BLOCK * side.start - 1, BLOCK * side.stop) for side in inside[0]]
    corners = np.array(np.meshgrid(*ends, indexing="ij")).reshape(3, -1)
    back = np.linalg.inv(to_voxel)
    found = back[:3, :3] @ corners + back[:3, 3:]
    low, high = np.floor(found.min(axis=1)), np.ceil(found.max(axis=1)) + 1
    return tuple(
        slice(int(np.clip(a, 0, size)), int(np.clip(b, 0, size)))
        for a, b, size in zip(low, high, shape, strict=True)
    )


def output_grid(affine: np.ndarray, shape: tuple[int, ...], keep_geometry: bool) -> Grid:
    """Grid of the label map: the scan's own, or 1 mm voxels along the same axes.

    Within 0.95 to 1.05 mm the scan's own grid is kept in any case, as SynthSeg does it.
    """
    sizes_mm = voxel_sizes_mm(affine)
    if keep_geometry or np.all((sizes_mm > 0.95) & (sizes_mm < 1.05)):
        return Grid((shape[0], shape[1], shape[2]), affine)
    counts = [max(1, round(n * size)) for n, size in zip(shape, sizes_mm, strict=True)]
    fine = affine.copy()
    fine[:3, :3] = affine[:3, :3] / sizes_mm
    corner = affine[:3, :3] @ np.full(3, -0.5) + affine[:3, 3]
    fine[:3, 3] = corner + fine[:3, :3] @ np.full(3, 0.5)
    return Grid((counts[0], counts[1], counts[2]), fine)
