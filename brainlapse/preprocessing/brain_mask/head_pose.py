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
STARTS = 3
MOST_STARTS = 12
CONVINCING = 0.65  # the right poses of 20 real and 48 simulated heads reached 0.69, wrong ones 0.61
HEAD_SCALE = 0.93  # heads are smaller than the template
REACH_MM = 110.0  # from the brain's centre to beyond its farthest point
AIR_SHARE = 0.1
BRIGHTEST_PERCENTILE = 98.0
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
        Volume (X, Y, Z) and affine each; the template stripped, 0 outside the brain.
    """
    limited = limit_intensities(head[0])
    guesses = _match_all_shifts(coarsen(limited, head[1], SEARCH_MM), coarsen(*template, SEARCH_MM))
    sampler = Sampler(coarsen(limited, head[1], VOXEL_MM), coarsen(*template, VOXEL_MM))
    starts = [
        np.concatenate([guess.vector_deg, guess.centre_mm, [HEAD_SCALE]]) for guess in guesses
    ]
    refined = [refine(sampler, start, STEP_DEG / 2) for start in starts[:STARTS]]
    if max(correlation for _, correlation in refined) < CONVINCING:
        refined += [refine(sampler, start, STEP_DEG / 2) for start in starts[STARTS:]]
    found, correlation = max(refined, key=lambda pair: pair[1])
    return Pose(sampler.transform(found), correlation)


def limit_intensities(volume: np.ndarray) -> np.ndarray:
    """Scale a head to 0..1 and clip its brightest voxels, which are fat and vessels."""
    low = float(volume.min())
    sparse = volume[::2, ::2, ::2]
    bright = low + AIR_SHARE * (float(np.percentile(sparse, 99)) - low)
    inside = sparse[sparse > bright]
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
    return [guesses[index] for index in pick_apart(vectors, scores, 1.2 * STEP_DEG, MOST_STARTS)]


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
