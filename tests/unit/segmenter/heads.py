"""A made head of ellipsoids: SynthSeg's 32 structures, and skull and skin around them."""

import numpy as np

from brainlapse.segmenter.anatomies import Anatomy, _ventricle_push
from brainlapse.segmenter.deformation import LATTICE
from brainlapse.space import Grid, grid_at

CENTRE_MM = (0.0, -17.0, 5.0)
RADII_MM = np.array([70.0, 88.0, 68.0])
SHELLS = ((1.30, 516, 516), (1.12, 515, 515), (1.0, 24, 24), (0.93, 3, 42), (0.85, 2, 41))
"""Relative radius, id on the left, id on the right."""
BALLS = (
    (8, 47, (24, -62, -32), 20), (7, 46, (24, -62, -32), 10), (16, 16, (0, -30, -30), 13),
    (4, 43, (16, -20, 20), 12), (5, 44, (36, -28, -10), 5), (10, 49, (13, -20, 0), 7),
    (11, 50, (14, 6, 8), 5), (12, 51, (27, 0, 0), 7), (13, 52, (20, -8, -4), 4.5),
    (17, 53, (26, -24, -18), 6), (18, 54, (23, -4, -20), 5), (26, 58, (9, 10, -8), 4),
    (28, 60, (10, -15, -12), 5), (14, 14, (0, -14, 2), 4), (15, 15, (0, -48, -30), 5),
    (31, 63, (16, -26, 20), 3), (77, 77, (-30, -20, 30), 4),
)  # fmt: skip
"""Id on the left and on the right, middle (x of the right one) and radius in mm."""
FINE = Grid(
    (96, 112, 96),
    np.array([[2.0, 0, 0, -95.4], [0, 2.0, 0, -128.3], [0, 0, 2.0, -89.7], [0, 0, 0, 1]]),
)
"""No voxel's middle lies midway between two of the segmenter's grid."""
SMALL = grid_at(1.0, (64, 64, 64))
"""The middle of MNI space: deep structures and white matter."""


def head_labels(grid=FINE):
    """Label map, uint16, on a grid in MNI space."""
    voxels = np.indices(grid.shape).reshape(3, -1)
    points = grid.affine[:3, :3] @ voxels + grid.affine[:3, 3:]
    on_right = points[0] > 0
    labels = np.zeros(points.shape[1], dtype=np.uint16)
    radius = np.linalg.norm((points - np.reshape(CENTRE_MM, (3, 1))) / RADII_MM[:, None], axis=0)
    for size, left, right in SHELLS:
        labels[radius < size] = np.where(on_right, right, left)[radius < size]
    for left, right, (x, y, z), size in BALLS:
        for label, side in ((left, -1), (right, 1)):
            away = np.linalg.norm(points - np.reshape((side * x, y, z), (3, 1)), axis=0)
            labels[away < size] = label
    return labels.reshape(grid.shape)


def make_anatomy(grid=FINE, name="made"):
    """Anatomy of the head that already lies in MNI space."""
    labels, from_mni = head_labels(grid), np.linalg.inv(grid.affine)
    return Anatomy(name, labels, from_mni, _ventricle_push(labels, from_mni, LATTICE))
