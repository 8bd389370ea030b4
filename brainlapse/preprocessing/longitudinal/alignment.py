"""Align two visits of one person: rigid, by robust least squares, alike from either side.

Each brain is registered to the other and the two results are averaged, so that none of them is
the smoother one for being interpolated, and swapping the visits gives the inverse: what the
half-way space of Reuter et al. (2010), NeuroImage 53:1181-1196, is for.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import expm, logm

from brainlapse.preprocessing.registration.ants import Located
from brainlapse.preprocessing.registration.fit import FitJudge
from brainlapse.preprocessing.registration.least_squares import fit_squares, generators
from brainlapse.preprocessing.registration.pose import Coarse, centre_of_mass, find_brain_poses
from brainlapse.preprocessing.registration.settings import LevelSettings
from brainlapse.preprocessing.registration.transforms import without_scale

LEVEL = LevelSettings(
    transform="rigid",
    initialisation="search",
    iterations=(30, 30, 30),
    shrink=(4, 2, 1),
    smoothing=(2.0, 1.0, 0.5),
    sampling=0.3,
)
READ_EVERY = 50  # of the brain's voxels: enough points to average a displacement over


@dataclass(frozen=True)
class Alignment:
    """How a visit lies against an earlier one.

    Attributes
    ----------
    motion
        World mm of the earlier visit to world mm of the visit, (4, 4), rigid.
    correlation
        Pearson's, of the two brains at 4 mm, over the earlier brain and a rim of one voxel.
    apart_mm
        Mean distance between the results of the two directions [mm].
    scale
        Size of the visit's brain relative to the earlier one, if one scale is let free.
    """

    motion: np.ndarray
    correlation: float
    apart_mm: float
    scale: float


def align_brains(earlier: Located, visit: Located) -> Alignment:
    """Align a visit to an earlier one.

    Parameters
    ----------
    earlier, visit
        From `registration.prepare_brain`: volume (X, Y, Z), 0 outside the brain, and affine.
    """
    centre = centre_of_mass(Coarse(*earlier))
    start = without_scale(find_brain_poses(visit, earlier)[0].transform, centre)
    rigid = generators("rigid")
    there = fit_squares(earlier, visit, LEVEL, start, rigid)
    back = np.linalg.inv(fit_squares(visit, earlier, LEVEL, np.linalg.inv(there), rigid))
    motion = midway(there, back)
    one_scale = generators("similarity")
    similar = (
        fit_squares(earlier, visit, LEVEL, motion, one_scale),
        np.linalg.inv(fit_squares(visit, earlier, LEVEL, np.linalg.inv(motion), one_scale)),
    )
    scales = [np.linalg.det(one[:3, :3]) ** (1 / 3) for one in similar]
    return Alignment(
        motion=motion,
        correlation=FitJudge(visit, earlier).fit(motion).correlation,
        apart_mm=mean_distance_mm(there, back, brain_points_mm(earlier)),
        scale=float(np.sqrt(scales[0] * scales[1])),
    )


def midway(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the rigid transform half-way between two that are close, (4, 4)."""
    between = np.real(logm(np.linalg.inv(first) @ second))
    return first @ expm(between / 2)


def brain_points_mm(brain: Located) -> np.ndarray:
    """Return some points of a brain [mm, world], (N, 3)."""
    volume, affine = brain
    return np.argwhere(volume > 0)[::READ_EVERY] @ affine[:3, :3].T + affine[:3, 3]


def mean_distance_mm(first: np.ndarray, second: np.ndarray, points_mm: np.ndarray) -> float:
    """Return the mean distance between where two transforms put points (N, 3) [mm]."""
    difference = first - second
    return float(
        np.linalg.norm(points_mm @ difference[:3, :3].T + difference[:3, 3], axis=1).mean()
    )
