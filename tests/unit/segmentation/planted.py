"""Posteriors with planted structures, on a grid that is coarse enough for tests."""

import numpy as np
import torch

from brainlapse.segmentation.classes import CLASS_LABELS, CLASSES, MIRRORED
from brainlapse.segmentation.embedded.posteriors import Posteriors
from brainlapse.space import Grid, grid_at

GRID = grid_at(2.0, (80, 96, 80))
CLASS_OF = {
    **{label: number for number, label in enumerate(CLASS_LABELS)},
    **{right: CLASS_LABELS.index(left) for left, right in MIRRORED.items()},
}


def world_of(grid):
    """World mm of every voxel, (3, X, Y, Z)."""
    voxels = np.indices(grid.shape).reshape(3, -1)
    return (grid.affine[:3, :3] @ voxels + grid.affine[:3, 3:]).reshape(3, *grid.shape)


def ball_share(points, centre_mm, radius_mm, edge_mm):
    """Share of each voxel within a ball; the edge is `edge_mm` wide."""
    offset = points - np.reshape(centre_mm, (3, 1, 1, 1))
    return np.clip(0.5 + (radius_mm - np.linalg.norm(offset, axis=0)) / edge_mm, 0, 1)


def posteriors_of(shares, right, grid=GRID):
    """Posteriors out of arrays (CLASSES, X, Y, Z) and (X, Y, Z); every block is kept."""
    maps = np.concatenate([shares, right[None]]).astype(np.float32)
    count, *shape = maps.shape
    x, y, z = (size // 2 for size in shape)
    blocks = maps.reshape(count, x, 2, y, 2, z, 2).transpose(1, 3, 5, 2, 4, 6, 0)
    rows = torch.from_numpy(blocks.reshape(-1, 8, count).copy())
    return Posteriors(
        rows, torch.ones((x, y, z), dtype=torch.bool), Grid(tuple(shape), grid.affine)
    )


def volumes_of(posteriors):
    """Arrays (CLASSES, X, Y, Z) and (X, Y, Z) of posteriors: shares and right side."""
    maps = [posteriors.place(posteriors.rows[..., n]).numpy() for n in range(CLASSES + 1)]
    shares = np.stack(maps[:-1])
    shares[0] += 1 - shares.sum(axis=0)  # of blocks that are not kept
    return shares, maps[-1]


def plant(structures, points, grid=GRID):
    """Posteriors of balls: {label: (centre in mm, radius in mm)}, the rest is background."""
    shares = np.zeros((CLASSES, *points.shape[1:]), dtype=np.float32)
    right = np.zeros(points.shape[1:], dtype=np.float32)
    for label, (centre_mm, radius_mm) in structures.items():
        share = ball_share(points, centre_mm, radius_mm, edge_mm=2.0)
        shares[CLASS_OF[label]] += share
        right[(share > 0) & (label in MIRRORED.values())] = 1
    shares[0] = 1 - shares.sum(axis=0)
    return posteriors_of(shares, right, grid)


def ball_mm3(radius_mm):
    """Volume of a ball."""
    return 4 / 3 * np.pi * radius_mm**3


def write_lists(folder, **lists):
    """Write ``<name>.txt`` of lines for each name."""
    for name, lines in lists.items():
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
