"""Find how a whole head lies, skull, neck and all, before anything is known about its brain."""

from dataclasses import dataclass

import numpy as np
from scipy import fft, ndimage

from brainlapse.preprocessing.orientation import voxel_sizes_mm
from brainlapse.preprocessing.registration.pose import (
    LIMIT_DEG,
    VOXEL_MM,
    Coarse,
    Pose,
    Sampler,
    centre_of_mass,
    coarsen,
    near_template,
    pick_apart,
    refine,
    rotation_lattice,
    rotation_matrices,
)

SEARCH_MM = 12.0
STEP_DEG = 20.0
STARTS = 4
MOST_STARTS = 12
CONVINCING = 0.65  # the right poses of 20 real and 48 simulated heads reached 0.69, wrong ones 0.61
DOUBT_PER_DEG = 0.002  # of correlation: most headers tell how the head lies
HEAD_SCALE = 0.93  # heads are smaller than the template
TISSUE = 0.2  # of a flattened head
UPPER_MM = 130.0  # of an upright head: above the face
BELOW_VERTEX_MM = 85.0
REACH_MM = 110.0  # from the brain's centre to beyond its farthest point
SMALLEST_SPREAD = 0.05


def find_head_pose(
    head: tuple[np.ndarray, np.ndarray], template: tuple[np.ndarray, np.ndarray]
) -> Pose:
    """Find the brain in a whole head, at most `LIMIT_DEG` from its header's orientation.

    Per rotation, the correlation of all shifts at once, by Fourier transforms. It is local: taken
    over the template's brain and a rim around it, where a head has dark fluid and bone. The best
    few rotations are refined, and more of them where none of these convinces.

    Parameters
    ----------
    head, template
        Volume (X, Y, Z) and affine each; the head flattened (`flatten_head`), the template
        stripped, 0 outside the brain.
    """
    guesses = _match_all_shifts(coarsen(*head, SEARCH_MM), coarsen(*template, SEARCH_MM))
    sampler_head = coarsen(*head, VOXEL_MM)
    sampler = Sampler(sampler_head, coarsen(*template, VOXEL_MM))
    guesses.insert(0, _Guess(0.0, np.zeros(3), plain_centre_mm(sampler_head)))
    starts = [
        np.concatenate([guess.vector_deg, guess.centre_mm, [HEAD_SCALE]]) for guess in guesses
    ]
    refined = [refine(sampler, start, STEP_DEG / 2) for start in starts[:STARTS]]
    if max(correlation for _, correlation in refined) < CONVINCING:
        refined += [refine(sampler, start, STEP_DEG / 2) for start in starts[STARTS:]]
    found, correlation = max(refined, key=_merit)
    return Pose(sampler.transform(found), correlation)


def plain_centre_mm(head: Coarse) -> np.ndarray:
    """Where the brain's centre lies if the head is upright: below the vertex [mm, world], (3,)."""
    tissue = ndimage.binary_opening(head.volume > TISSUE)
    if not tissue.any():
        return centre_of_mass(head)
    places = np.argwhere(tissue) @ head.affine[:3, :3].T + head.affine[:3, 3]
    top_mm = places[:, 2].max()
    upper = places[places[:, 2] > top_mm - UPPER_MM]
    return np.array([*upper[:, :2].mean(axis=0), top_mm - BELOW_VERTEX_MM])


def _merit(refined: tuple[np.ndarray, float]) -> float:
    pose, correlation = refined
    return correlation - DOUBT_PER_DEG * float(np.linalg.norm(pose[:3]))


@dataclass(frozen=True)
class _Guess:
    """Best shift of one rotation: its correlation, the rotation, the brain's centre [mm]."""

    correlation: float
    vector_deg: np.ndarray
    centre_mm: np.ndarray


def _match_all_shifts(head: Coarse, template: Coarse) -> list[_Guess]:
    """Return the header's orientation and the best guesses, best first, no two neighbours."""
    reach = np.ceil(REACH_MM / voxel_sizes_mm(head.affine)).astype(int)
    padded = np.array(head.volume.shape) + 2 * reach
    shape = [fft.next_fast_len(int(edge), real=True) for edge in padded]
    transformed = [fft.rfftn(power, shape) for power in (head.volume, head.volume**2)]
    centre = centre_of_mass(template)
    axes = [np.arange(-r, r + 1) for r in reach]
    offsets = np.stack(np.meshgrid(*axes, indexing="ij")).reshape(3, -1)
    offsets = head.affine[:3, :3] @ offsets / HEAD_SCALE
    to_voxel = np.linalg.inv(template.affine)
    near = near_template(template).astype(np.float32)
    guesses = []
    for vector in rotation_lattice(STEP_DEG, LIMIT_DEG):
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
    chosen = pick_apart(vectors, scores, 1.2 * STEP_DEG, MOST_STARTS)
    return [guesses[index] for index in dict.fromkeys([0, *chosen])]  # the first is not turned


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
