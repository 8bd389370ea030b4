"""Volumes between their stored axis order and the closest RAS+ order.

The stages compute on RAS+ volumes, so a scan gives the same numbers however its axes are stored,
and hand back results on the grid they were given.
"""

import nibabel as nib
import numpy as np
from nibabel.orientations import (
    apply_orientation,
    inv_ornt_aff,
    io_orientation,
    ornt_transform,
)

CANONICAL = np.array([[0, 1], [1, 1], [2, 1]])


def to_canonical(volume: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Permute and flip the axes of a volume (X, Y, Z) to the closest RAS+ order."""
    orientation = io_orientation(affine)
    turned = np.ascontiguousarray(apply_orientation(volume, orientation))
    return turned, affine @ inv_ornt_aff(orientation, volume.shape)


def from_canonical(volume: np.ndarray, stored_affine: np.ndarray) -> np.ndarray:
    """Undo `to_canonical`: return the volume in the axis order of `stored_affine`."""
    turn = ornt_transform(CANONICAL, io_orientation(stored_affine))
    return np.ascontiguousarray(apply_orientation(volume, turn))


def voxel_sizes_mm(affine: np.ndarray) -> np.ndarray:
    """Return the voxel edges along the three axes [mm], (3,)."""
    return nib.affines.voxel_sizes(affine)


def voxel_volume_ml(affine: np.ndarray) -> float:
    """Return the volume of one voxel [ml]."""
    return float(abs(np.linalg.det(affine[:3, :3]))) / 1000.0
