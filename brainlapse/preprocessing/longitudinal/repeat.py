"""The same head once more: turned a little, and through every step again."""

from collections.abc import Iterator

import numpy as np
from scipy.spatial.transform import Rotation

from brainlapse.images import resample_to_grid
from brainlapse.preprocessing.bias import estimate_log_field, remove_field, remove_offset
from brainlapse.preprocessing.brain_mask.masking import find_brain
from brainlapse.preprocessing.longitudinal.aligned import AlignedVisits
from brainlapse.preprocessing.longitudinal.comparison import Pair, compare_visits
from brainlapse.preprocessing.longitudinal.visit import Root, Visit
from brainlapse.preprocessing.registration.ants import Located
from brainlapse.preprocessing.settings import PreprocessSettings
from brainlapse.space import Grid

TURN_DEGREES = 3.0
AXIS = (1.0, 1.0, 1.0)  # all three turns at once
SPLINE = 5  # order: the turn itself interpolates, and shall smooth as little as it can


def turn_head(volume: np.ndarray, affine: np.ndarray, degrees: float) -> np.ndarray:
    """Turn a head about the middle of its field of view; on its own grid, float32 (X, Y, Z)."""
    shape = (volume.shape[0], volume.shape[1], volume.shape[2])
    middle_mm = affine[:3, :3] @ (np.asarray(shape) - 1) / 2 + affine[:3, 3]
    turn = np.eye(4)
    axis = np.asarray(AXIS) / np.linalg.norm(AXIS)
    turn[:3, :3] = Rotation.from_rotvec(np.deg2rad(degrees) * axis).as_matrix()
    turn[:3, 3] = middle_mm - turn[:3, :3] @ middle_mm
    air = float(volume.min())  # beyond the field of view
    return resample_to_grid(volume - air, affine, Grid(shape, affine), turn, order=SPLINE) + air


def process_alone(
    volume: np.ndarray, affine: np.ndarray, target: Located, settings: PreprocessSettings
) -> Visit:
    """Run the steps that know of no other visit on a raw head: mask and bias field."""
    mask = find_brain(volume, affine, target, settings.mask).mask
    head = remove_offset(volume)
    log_field = estimate_log_field(head, mask, affine, settings.bias)
    return Visit("again", remove_field(head, log_field), mask, affine)


def pair_up(root: Root, visit: Visit, settings: PreprocessSettings) -> tuple[Root, Pair]:
    """Let a visit join a root, whatever their numbers say; the visit with its transform."""
    pair = compare_visits(root, visit, settings.registration.voxel_mm, settings.longitudinal)
    return Root(visit.scan, visit.volume, visit.mask, visit.affine, pair.transform), pair


def place_pair(
    root: Root, visit: Root, pair: Pair, grid: Grid, settings: PreprocessSettings
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Return the normalised brains of a root and a visit that joined it, each with its mask."""
    aligned = AlignedVisits(grid, settings.resampling, settings.intensity)
    shared = aligned.share(root)
    yield aligned.place(root, shared, None)
    yield aligned.place(visit, shared, pair.log_field)
