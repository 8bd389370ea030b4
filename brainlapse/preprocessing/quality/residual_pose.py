"""How far a small rigid search would still move a registered brain: a wrong pose shows.

Overlap and correlation hardly see a brain that is turned by 10 degrees, because anatomies differ
more than that. The search answers in mm and degrees, whoever's brain it is. Gauss-Newton steps,
with gain and offset of the intensities free (Friston et al. 1995, Human Brain Mapping 3:165-189).
"""

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

from brainlapse.images import resample_to_grid
from brainlapse.preprocessing.blocks import block_affine, block_mean, shrink_factors
from brainlapse.space import Grid

VOXEL_MM = 4.0
SMOOTHING_VOXELS = (2.0, 1.0)  # standard deviations, coarse to fine
STEPS = 10  # at each smoothing
STILL = 1e-4  # of a step's matrix: the search has ended
LOST_MM = 60.0  # a brain that moves further has left the template
SOME_BRAIN = 0.1  # share of a block


def residual_pose(
    brain: np.ndarray, template: np.ndarray, mask: np.ndarray, affine: np.ndarray
) -> dict[str, float]:
    """Search rigidly for the pose in which a brain resembles the template most.

    Parameters
    ----------
    brain, template
        (X, Y, Z) intensities on the MNI grid.
    mask
        bool (X, Y, Z), brain of the template.
    affine
        Voxel to world mm (RAS), (4, 4).

    Returns
    -------
    dict
        residual_mm: mean displacement inside the mask; residual_degrees: angle of the turn.
    """
    factors = shrink_factors(affine, VOXEL_MM)
    inside = block_mean(mask, factors) > SOME_BRAIN
    grid = Grid(inside.shape, block_affine(affine, factors))
    points_mm = np.argwhere(inside) @ grid.affine[:3, :3].T + grid.affine[:3, 3]  # (N, 3)
    moving, fixed = block_mean(brain, factors), block_mean(template, factors)
    pose = np.eye(4)
    for smoothing in SMOOTHING_VOXELS:
        smooth = ndimage.gaussian_filter(moving, smoothing)
        target = ndimage.gaussian_filter(fixed, smoothing)
        pose = _search(smooth, target, inside, grid, points_mm, pose)
    moved_mm = np.linalg.norm(_carry(pose, points_mm) - points_mm, axis=1)
    turn = Rotation.from_matrix(pose[:3, :3]).magnitude()
    return {"residual_mm": float(moved_mm.mean()), "residual_degrees": float(np.degrees(turn))}


def rotation_degrees(linear: np.ndarray) -> float:
    """Return the angle of the rotation nearest to a linear map (3, 3), 0 to 180 degrees."""
    left, _, right = np.linalg.svd(linear)
    rotation = left @ np.diag([1.0, 1.0, np.linalg.det(left @ right)]) @ right
    return float(np.degrees(Rotation.from_matrix(rotation).magnitude()))


def _search(
    moving: np.ndarray,
    fixed: np.ndarray,
    inside: np.ndarray,
    grid: Grid,
    points_mm: np.ndarray,
    pose: np.ndarray,
) -> np.ndarray:
    """Improve the map from template to brain world mm, (4, 4), at one smoothing."""
    centre_mm = points_mm.mean(axis=0)
    gradient = np.stack(np.gradient(fixed, *np.diag(grid.affine)[:3]), axis=-1)[inside]
    slopes = np.concatenate([np.cross(points_mm - centre_mm, gradient), gradient], axis=1)
    for _ in range(STEPS):
        values = resample_to_grid(moving, grid.affine, grid, pose)[inside]
        columns = [slopes, -values[:, None], -np.ones((len(values), 1))]
        found = np.linalg.lstsq(np.concatenate(columns, axis=1), -fixed[inside], rcond=None)[0]
        step = _rigid(found[:3], found[3:6], centre_mm)
        candidate = pose @ np.linalg.inv(step)
        if np.linalg.norm(_carry(candidate, centre_mm) - centre_mm) > LOST_MM:
            return pose
        pose = candidate
        if np.linalg.norm(step - np.eye(4)) < STILL:
            break
    return pose


def _rigid(turn: np.ndarray, shift_mm: np.ndarray, centre_mm: np.ndarray) -> np.ndarray:
    step = np.eye(4)
    step[:3, :3] = Rotation.from_rotvec(turn).as_matrix()
    step[:3, 3] = centre_mm - step[:3, :3] @ centre_mm + shift_mm
    return step


def _carry(pose: np.ndarray, points_mm: np.ndarray) -> np.ndarray:
    return points_mm @ pose[:3, :3].T + pose[:3, 3]
