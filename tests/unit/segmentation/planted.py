"""Posteriors with planted structures, on a grid that is coarse enough for tests."""

import numpy as np
import torch

from brainlapse.segmentation.classes import CLASS_LABELS, CLASSES, MIRRORED
from brainlapse.segmentation.posteriors import Posteriors
from brainlapse.space import grid_at

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
    """Posteriors out of arrays (CLASSES, X, Y, Z) and (X, Y, Z), whose memory they share."""
    return Posteriors(torch.from_numpy(shares), torch.from_numpy(right), grid)


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
