"""Find how a head lies, coarsely and from far away: where a registration starts.

Rotations on a lattice are tried one by one on voxels of several millimetres and judged by the
correlation with the template; the best are refined by small steps. Only rotations, shifts and
one scale: a mirrored brain is never made, for nothing would tell it from the true one.
"""

from dataclasses import dataclass

import numpy as np
from scipy import fft, ndimage

from brainlapse.preprocessing.blocks import block_affine, block_mean, shrink_factors
from brainlapse.preprocessing.orientation import to_canonical, voxel_sizes_mm

LIMIT_DEG = 60.0  # a head that lies farther from its header's axes has a header that lies
VOXEL_MM = 8.0
BRAIN_STEP_DEG = 15.0
FINEST_STEP_DEG = 1.0
STEP_MM_PER_DEG = 1.2  # a shift that moves the brain's surface about as much as a turn does
SCALE_PER_DEG = 0.005
HEAD_SEARCH_MM = 12.0
HEAD_STEP_DEG = 20.0
HEAD_STARTS = 3
HEAD_SCALE = 0.93  # heads are smaller than the template
REACH_MM = 110.0  # from the brain's centre to beyond its farthest point
AIR_SHARE = 0.1
BRIGHTEST_PERCENTILE = 98.0
SMALLEST_SPREAD = 0.05


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
    sampler = _Sampler(coarse, coarse_template)
    vectors = rotation_lattice(BRAIN_STEP_DEG, limit_deg)
    rest = [*_centre_of_mass(coarse), _size_mm(coarse) / _size_mm(coarse_template)]
    starts = np.column_stack([vectors, np.tile(rest, (len(vectors), 1))])
    scores = np.array([sampler.score(start) for start in starts])
    chosen = _apart(vectors, scores, 1.8 * BRAIN_STEP_DEG, count)
    refined = [_refine(sampler, starts[index], BRAIN_STEP_DEG / 2) for index in chosen]
    poses = [Pose(sampler.transform(found), score) for found, score in refined]
    return sorted(poses, key=lambda pose: -pose.correlation)


def _apart(
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


class _Sampler:
    """Correlation of a coarse volume and the template as a function of the pose.

    A pose is (7,): rotation vector [degrees], where the template's centre of mass goes [mm,
    world], scale.
    """

    def __init__(self, scan: Coarse, template: Coarse) -> None:
        near = _near(template)
        index = np.argwhere(near)
        self.values = _standardised(template.volume[near])
        self.centre = _centre_of_mass(template)
        points = index @ template.affine[:3, :3].T + template.affine[:3, 3]
        self.points = (points - self.centre).T
        self.to_voxel = np.linalg.inv(scan.affine)
        self.volume = scan.volume

    def score(self, pose: np.ndarray) -> float:
        world = self._linear(pose) @ self.points + pose[3:6, None]
        voxels = self.to_voxel[:3, :3] @ world + self.to_voxel[:3, 3:]
        sampled = ndimage.map_coordinates(self.volume, voxels, order=1, prefilter=False)
        return float(_standardised(sampled) @ self.values)

    def transform(self, pose: np.ndarray) -> np.ndarray:
        transform = np.eye(4)
        transform[:3, :3] = self._linear(pose)
        transform[:3, 3] = pose[3:6] - transform[:3, :3] @ self.centre
        return transform

    @staticmethod
    def _linear(pose: np.ndarray) -> np.ndarray:
        return pose[6] * rotation_matrices(pose[None, :3])[0]


def _refine(sampler: _Sampler, pose: np.ndarray, step_deg: float) -> tuple[np.ndarray, float]:
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


def _near(template: Coarse) -> np.ndarray:
    """The template's brain and a rim of one voxel, bool."""
    return ndimage.binary_dilation(template.volume > 0)


def _centre_of_mass(coarse: Coarse) -> np.ndarray:
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



def find_head_pose(
    head: tuple[np.ndarray, np.ndarray], template: tuple[np.ndarray, np.ndarray]
) -> Pose:
    """Find the brain in a whole head, at most `LIMIT_DEG` from its header's orientation.

    Per rotation, the correlation of all shifts at once, by Fourier transforms. It is local: taken
    over the template's brain and a rim around it, where a head has dark fluid and bone.

    Parameters
    ----------
    head, template
        Volume (X, Y, Z) and affine each; the template stripped, 0 outside the brain.
    """
    limited = limit_intensities(head[0])
    guesses = _match_all_shifts(
        coarsen(limited, head[1], HEAD_SEARCH_MM), coarsen(*template, HEAD_SEARCH_MM)
    )
    sampler = _Sampler(coarsen(limited, head[1], VOXEL_MM), coarsen(*template, VOXEL_MM))
    starts = [np.concatenate([guess.vector_deg, guess.centre_mm, [HEAD_SCALE]]) for guess in guesses]
    refined = [_refine(sampler, start, HEAD_STEP_DEG / 2) for start in starts]
    found, correlation = max(refined, key=lambda pair: pair[1])
    return Pose(sampler.transform(found), correlation)


def limit_intensities(volume: np.ndarray) -> np.ndarray:
    """Scale a head to 0..1 and clip its brightest voxels, which are fat and vessels."""
    low = float(volume.min())
    bright = low + AIR_SHARE * (float(np.percentile(volume, 99)) - low)
    inside = volume[volume > bright]
    high = float(np.percentile(inside, BRIGHTEST_PERCENTILE)) if inside.size else low + 1
    return np.clip((volume - low) / (high - low), 0, 1).astype(np.float32)


@dataclass(frozen=True)
class _Guess:
    """Best shift of one rotation: its correlation, the rotation, the brain's centre [mm]."""

    correlation: float
    vector_deg: np.ndarray
    centre_mm: np.ndarray


def _match_all_shifts(head: Coarse, template: Coarse) -> list[_Guess]:
    """Return the best guesses, best first, no two of them neighbours."""
    reach = np.ceil(REACH_MM / voxel_sizes_mm(head.affine)).astype(int)
    shape = [fft.next_fast_len(int(n + 2 * r), real=True) for n, r in zip(head.volume.shape, reach)]
    transformed = [fft.rfftn(power, shape) for power in (head.volume, head.volume**2)]
    centre = _centre_of_mass(template)
    axes = [np.arange(-r, r + 1) for r in reach]
    offsets = np.stack(np.meshgrid(*axes, indexing="ij")).reshape(3, -1)
    offsets = head.affine[:3, :3] @ offsets / HEAD_SCALE
    to_voxel = np.linalg.inv(template.affine)
    near = _near(template).astype(np.float32)
    guesses = []
    for vector in rotation_lattice(HEAD_STEP_DEG, LIMIT_DEG):
        world = rotation_matrices(vector[None])[0].T @ offsets + centre[:, None]
        voxels = to_voxel[:3, :3] @ world + to_voxel[:3, 3:]
        values, inside = (
            ndimage.map_coordinates(image, voxels, order=1, prefilter=False).reshape(2 * reach + 1)
            for image in (template.volume, near)
        )
        correlation, lag = _best_shift(transformed, values, inside > 0.5, shape)
        lag = np.where(lag >= head.volume.shape, lag - shape, lag)  # lags wrap around
        centre_mm = head.affine[:3, :3] @ (lag + reach) + head.affine[:3, 3]
        guesses.append(_Guess(correlation, vector, centre_mm))
    vectors = np.array([guess.vector_deg for guess in guesses])
    scores = np.array([guess.correlation for guess in guesses])
    return [guesses[index] for index in _apart(vectors, scores, 1.2 * HEAD_STEP_DEG, HEAD_STARTS)]


def _best_shift(
    head: list[np.ndarray], values: np.ndarray, inside: np.ndarray, shape: list[int]
) -> tuple[float, np.ndarray]:
    """Return the largest local correlation of a head with a turned template, and its lag (3,).

    Parameters
    ----------
    head
        Fourier transforms of the head and of its square.
    values, inside
        Template on the head's voxels, and bool mask of where to compare.
    shape
        Of the transforms.
    """
    count = int(inside.sum())
    centred = np.where(inside, values - values[inside].mean(), 0)
    centred /= np.linalg.norm(centred)
    kernel, mask = (np.conj(fft.rfftn(x, shape)) for x in (centred, inside.astype(np.float32)))
    product = fft.irfftn(head[0] * kernel, shape)
    sums, squares = (fft.irfftn(power * mask, shape) for power in head)
    spread = squares - sums**2 / count
    # Air holds next to no spread: it must not win by a ratio of small numbers.
    correlation = product / np.sqrt(np.maximum(spread, SMALLEST_SPREAD * spread.max()))
    lag = np.unravel_index(int(correlation.argmax()), correlation.shape)
    return float(correlation[lag]), np.array(lag)
