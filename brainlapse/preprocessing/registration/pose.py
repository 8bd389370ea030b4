"""Find how a head lies, coarsely and from far away: where a registration starts.

Rotations on a lattice are tried one by one on voxels of several millimetres and judged by the
correlation with the template; the best are refined by small steps. Only rotations, shifts and
one scale: a mirrored brain is never made, for nothing would tell it from the true one.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from brainlapse.preprocessing.blocks import block_affine, block_mean, shrink_factors
from brainlapse.preprocessing.orientation import to_canonical

LIMIT_DEG = 60.0  # a head that lies farther from its header's axes has a header that lies
VOXEL_MM = 8.0
BRAIN_STEP_DEG = 15.0
FINEST_STEP_DEG = 1.0
STEP_MM_PER_DEG = 1.2  # a shift that moves the brain's surface about as much as a turn does
SCALE_PER_DEG = 0.005


@dataclass(frozen=True)
class Coarse:
    """A volume on coarse voxels.

    Attributes
    ----------
    volume
        float32 (X, Y, Z).
    affine
        Voxel to world mm (RAS), (4, 4).
    """

    volume: np.ndarray
    affine: np.ndarray


@dataclass(frozen=True)
class Pose:
    """Where the template's brain was found.

    Attributes
    ----------
    transform
        Template world to scan world mm: rotation, shift and one scale, (4, 4).
    correlation
        Pearson's, of the coarse volumes, where the template is.
    """

    transform: np.ndarray
    correlation: float


def coarsen(volume: np.ndarray, affine: np.ndarray, voxel_mm: float) -> Coarse:
    """Average a volume (X, Y, Z) over blocks of about `voxel_mm`."""
    turned, canonical = to_canonical(volume, affine)
    factors = shrink_factors(canonical, voxel_mm)
    return Coarse(block_mean(turned, factors), block_affine(canonical, factors))


def rotation_matrices(vectors_deg: np.ndarray) -> np.ndarray:
    """Turn rotation vectors (N, 3) in degrees into matrices (N, 3, 3) (Rodrigues)."""
    angles = np.radians(np.linalg.norm(vectors_deg, axis=1))
    axes = np.radians(vectors_deg) / np.maximum(angles, 1e-12)[:, None]
    cross = np.zeros((len(axes), 3, 3))
    cross[:, 0, 1], cross[:, 0, 2], cross[:, 1, 2] = -axes[:, 2], axes[:, 1], -axes[:, 0]
    cross -= cross.transpose(0, 2, 1)
    sine, cosine = np.sin(angles)[:, None, None], np.cos(angles)[:, None, None]
    return np.eye(3) + sine * cross + (1 - cosine) * (cross @ cross)


def rotation_lattice(step_deg: float, limit_deg: float) -> np.ndarray:
    """Return rotation vectors (N, 3) [degrees], `step_deg` apart, up to an angle; none first."""
    count = int(limit_deg / step_deg)
    axis = step_deg * np.arange(-count, count + 1)
    vectors = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    angles = np.linalg.norm(vectors, axis=1)
    order = np.argsort(angles, kind="stable")
    return vectors[order][angles[order] <= limit_deg + 1e-9]


def rotation_angle_deg(transform: np.ndarray) -> float:
    """Return the angle of the rotation closest to a transform's linear part [degrees], 0..180."""
    left, _, right = np.linalg.svd(transform[:3, :3])
    return float(np.degrees(np.arccos(np.clip((np.trace(left @ right) - 1) / 2, -1, 1))))


def find_brain_poses(
    brain: tuple[np.ndarray, np.ndarray],
    template: tuple[np.ndarray, np.ndarray],
    limit_deg: float = LIMIT_DEG,
    count: int = 1,
) -> list[Pose]:
    """Find how a stripped brain lies.

    Parameters
    ----------
    brain, template
        Volume (X, Y, Z) and affine each; 0 outside the brain.
    limit_deg
        Largest rotation to try, around the header's orientation.
    count
        How many of the best starts to refine.

    Returns
    -------
    list of Pose
        The refined ones, best first.
    """
    coarse, coarse_template = coarsen(*brain, VOXEL_MM), coarsen(*template, VOXEL_MM)
    sampler = Sampler(coarse, coarse_template)
    vectors = rotation_lattice(BRAIN_STEP_DEG, limit_deg)
    rest = [*centre_of_mass(coarse), _size_mm(coarse) / _size_mm(coarse_template)]
    starts = np.column_stack([vectors, np.tile(rest, (len(vectors), 1))])
    scores = np.array([sampler.score(start) for start in starts])
    chosen = pick_apart(vectors, scores, 1.8 * BRAIN_STEP_DEG, count)
    refined = [refine(sampler, starts[index], BRAIN_STEP_DEG / 2) for index in chosen]
    poses = [Pose(sampler.transform(found), score) for found, score in refined]
    return sorted(poses, key=lambda pose: -pose.correlation)


def find_turned_pose(
    brain: tuple[np.ndarray, np.ndarray],
    template: tuple[np.ndarray, np.ndarray],
    transform: np.ndarray,
) -> tuple[Pose, Pose]:
    """Compare a pose with the best of those that stand on another of the head's axes.

    Turns by 90 and 180 degrees are where a scan ends up whose header mixes up its axes.

    Parameters
    ----------
    brain, template
        Volume (X, Y, Z) and affine each; 0 outside the brain.
    transform
        The pose in question, template world to scan world mm, (4, 4).

    Returns
    -------
    tuple of Pose
        The pose in question and the best turned one, both refined.
    """
    coarse, coarse_template = coarsen(*brain, VOXEL_MM), coarsen(*template, VOXEL_MM)
    sampler = Sampler(coarse, coarse_template)
    left, _, right = np.linalg.svd(transform[:3, :3])
    centre = transform[:3, :3] @ sampler.centre + transform[:3, 3]
    scale = np.linalg.det(transform[:3, :3]) ** (1 / 3)
    turned = [left @ right @ turn for turn in _axis_turns()]
    poses = [np.concatenate([rotation_vector_deg(turn), centre, [scale]]) for turn in turned]
    best = max(poses[1:], key=sampler.score)
    found = [refine(sampler, pose, BRAIN_STEP_DEG / 2) for pose in (poses[0], best)]
    kept, other = (Pose(sampler.transform(pose), score) for pose, score in found)
    return kept, other


def _axis_turns() -> list[np.ndarray]:
    """Return the 24 rotations that carry axes onto axes; none first."""
    signs = np.array(list(itertools.product((1, -1), repeat=3)))
    matrices = [
        np.diag(sign) @ np.eye(3)[list(order)]
        for order in itertools.permutations(range(3))
        for sign in signs
    ]
    return [matrix for matrix in matrices if np.linalg.det(matrix) > 0]


def rotation_vector_deg(rotation: np.ndarray) -> np.ndarray:
    """Return the rotation vector (3,) [degrees] of a matrix (3, 3); undoes `rotation_matrices`."""
    angle = np.radians(rotation_angle_deg(rotation))
    if angle > np.pi - 1e-4:  # the axis is the column space of R + 1, up to its sign
        column = (rotation + np.eye(3))[:, np.argmax(np.diag(rotation))]
        return 180.0 * column / np.linalg.norm(column)
    cross = rotation - rotation.T
    vector = np.array([cross[2, 1], cross[0, 2], cross[1, 0]])
    return np.degrees(angle) * vector / max(2 * np.sin(angle), 1e-12)


def pick_apart(
    vectors_deg: np.ndarray, scores: np.ndarray, distance_deg: float, count: int
) -> list[int]:
    """Return the indices of the best `count` rotations (N, 3) that are no neighbours."""
    chosen: list[int] = []
    for index in np.argsort(-scores, kind="stable"):
        offsets = np.linalg.norm(vectors_deg[chosen] - vectors_deg[index], axis=1)
        if not chosen or offsets.min() > distance_deg:
            chosen.append(int(index))
        if len(chosen) == count:
            break
    return chosen


class Sampler:
    """Correlation of a coarse volume and the template as a function of the pose.

    A pose is (7,): rotation vector [degrees], where the template's centre of mass goes [mm,
    world], scale.
    """

    def __init__(self, scan: Coarse, template: Coarse) -> None:
        near = near_template(template)
        index = np.argwhere(near)
        self.values = _standardised(template.volume[near])
        self.centre = centre_of_mass(template)
        points = index @ template.affine[:3, :3].T + template.affine[:3, 3]
        self.points = (points - self.centre).T
        self.to_voxel = np.linalg.inv(scan.affine)
        self.volume = scan.volume

    def score(self, pose: np.ndarray) -> float:
        """Return the correlation where the template is."""
        world = self._linear(pose) @ self.points + pose[3:6, None]
        voxels = self.to_voxel[:3, :3] @ world + self.to_voxel[:3, 3:]
        sampled = ndimage.map_coordinates(self.volume, voxels, order=1, prefilter=False)
        return float(_standardised(sampled) @ self.values)

    def transform(self, pose: np.ndarray) -> np.ndarray:
        """Return a pose as template world to scan world mm, (4, 4)."""
        transform = np.eye(4)
        transform[:3, :3] = self._linear(pose)
        transform[:3, 3] = pose[3:6] - transform[:3, :3] @ self.centre
        return transform

    @staticmethod
    def _linear(pose: np.ndarray) -> np.ndarray:
        return pose[6] * rotation_matrices(pose[None, :3])[0]


def refine(sampler: Sampler, pose: np.ndarray, step_deg: float) -> tuple[np.ndarray, float]:
    """Climb along each of the 7 parameters in turn, with ever smaller steps."""
    steps = np.array([1, 1, 1, STEP_MM_PER_DEG, STEP_MM_PER_DEG, STEP_MM_PER_DEG, SCALE_PER_DEG])
    best = sampler.score(pose)
    while step_deg >= FINEST_STEP_DEG:
        moved = False
        for axis in range(7):
            for sign in (step_deg, -step_deg):
                trial = pose.copy()
                trial[axis] += sign * steps[axis]
                score = sampler.score(trial)
                if score > best + 1e-6:
                    pose, best, moved = trial, score, True
                    break
        if not moved:
            step_deg /= 2
    return pose, best


def near_template(template: Coarse) -> np.ndarray:
    """Return the template's brain with a rim of one voxel, bool."""
    return ndimage.binary_dilation(template.volume > 0)


def centre_of_mass(coarse: Coarse) -> np.ndarray:
    """Return the centre of all that is not 0 [mm, world], (3,)."""
    centre = np.array(ndimage.center_of_mass(coarse.volume > 0))
    return coarse.affine[:3, :3] @ centre + coarse.affine[:3, 3]


def _size_mm(coarse: Coarse) -> float:
    """Edge of a cube as large as the mean-weighted brain [mm]."""
    share = np.minimum(coarse.volume / np.median(coarse.volume[coarse.volume > 0]), 1.0)
    return float((share.sum() * abs(np.linalg.det(coarse.affine[:3, :3]))) ** (1 / 3))


def _standardised(values: np.ndarray) -> np.ndarray:
    centred = values - values.mean()
    norm = float(np.linalg.norm(centred))
    return centred / norm if norm > 0 else centred
