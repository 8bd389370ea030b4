"""One measure for every brain mask, whatever way it came: how surely it holds just the brain.

The masked scan, its slow intensity changes taken out, is laid on the template by a quick affine
registration at 4 mm. Five numbers are read off and each laid on a scale on which 0 is what broken
masks have and 1 what true ones have. The score is the worst of the five, for a mask is as good as
its worst fault. `benchmarks/heads/judge.py` says how often it is right.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from brainlapse.preprocessing.agreement import correlation, dice
from brainlapse.preprocessing.blocks import (
    block_affine,
    block_mean,
    brain_box,
    crop_affine,
    shrink_factors,
)
from brainlapse.preprocessing.brain_mask.edge import edge_share
from brainlapse.preprocessing.orientation import voxel_sizes_mm
from brainlapse.preprocessing.registration.least_squares import register_squares
from brainlapse.preprocessing.registration.pose import coarsen, find_brain_poses
from brainlapse.preprocessing.registration.settings import AFFINE_DEFAULT

VOXEL_MM = 4.0
QUICK = AFFINE_DEFAULT.model_copy(
    update={"iterations": (20, 20), "shrink": (2, 1), "smoothing": (1.0, 0.5)}
)
FLATTEN_MM = 20.0  # standard deviation of the local mean that is divided out
FAINTEST = 0.02  # of the strongest local mean: less is no signal
DIFFER_VOXELS = 2  # that much brains differ from the template
LOCAL_VOXELS = 2.5  # standard deviation within which a local fault counts


@dataclass(frozen=True)
class Scale:
    """What a number is for broken masks (`bad`, score 0) and for true ones (`good`, score 1)."""

    bad: float
    good: float

    def score(self, value: float) -> float:
        """Return where a value lies, 0 to 1."""
        return float(np.clip((value - self.bad) / (self.good - self.bad), 0, 1))


SCALES = {
    "correlation": Scale(0.55, 0.75),
    "overlap": Scale(0.86, 0.94),
    "gap": Scale(0.7, 0.2),
    "spill": Scale(0.7, 0.2),
    "edge": Scale(0.25, 0.45),
}


@dataclass(frozen=True)
class Judgement:
    """How good a mask is.

    Attributes
    ----------
    score
        0 to 1, the worst of the numbers on their scales.
    mean
        0 to 1, the mean of the numbers on their scales: ranks what scores alike.
    numbers
        correlation: with the template over its brain and a rim; overlap: Dice with the template's
        brain; gap: largest local share of the template's core that the mask leaves out; spill:
        largest local share of mask far outside the template's brain; edge: see `edge_share`.
    transform
        Template world to scan world mm, (4, 4).
    """

    score: float
    mean: float
    numbers: dict[str, float]
    transform: np.ndarray


class MaskJudge:
    """Judges the masks of one scan.

    Parameters
    ----------
    volume, affine
        (X, Y, Z) raw intensities in RAS+ axis order, and voxel to world mm.
    target
        T1 of the template's brain, (X, Y, Z), 0 outside, and its affine.
    """

    def __init__(
        self, volume: np.ndarray, affine: np.ndarray, target: tuple[np.ndarray, np.ndarray]
    ) -> None:
        self.volume = volume
        self.affine = affine
        coarse = coarsen(*target, VOXEL_MM)
        self.target = (coarse.volume, coarse.affine)
        self.inside = coarsen((target[0] > 0).astype(np.float32), target[1], VOXEL_MM).volume > 0.5
        self.near = ndimage.binary_dilation(self.inside)
        self.core = ndimage.binary_erosion(self.inside, iterations=DIFFER_VOXELS)
        self.far = ~ndimage.binary_dilation(self.inside, iterations=DIFFER_VOXELS)

    def judge(self, mask: np.ndarray) -> Judgement:
        """Judge one mask, bool (X, Y, Z), not empty."""
        box = brain_box(mask, 0)
        factors = shrink_factors(self.affine, VOXEL_MM)
        affine = block_affine(crop_affine(self.affine, box), factors)
        share = block_mean(mask[box], factors)
        brain = block_mean((self.volume[box] - self.volume.min()) * mask[box], factors)
        flat = flatten(brain, share, FLATTEN_MM / voxel_sizes_mm(affine))
        pose = find_brain_poses((flat, affine), self.target)[0]
        transform = register_squares(self.target, (flat, affine), QUICK, pose.transform)
        laid, covered = (self._lay(image, affine, transform) for image in (flat, share))
        numbers = {
            "correlation": correlation(laid, self.target[0], self.near),
            "overlap": dice(covered > 0.5, self.inside),
            "gap": _largest_local((1 - covered) * self.core) / _largest_local(self.core),
            "spill": _largest_local(covered * self.far),
            "edge": edge_share(self.volume, mask, self.affine),
        }
        scores = [scale.score(numbers[name]) for name, scale in SCALES.items()]
        return Judgement(min(scores), float(np.mean(scores)), numbers, transform)

    def _lay(self, image: np.ndarray, affine: np.ndarray, transform: np.ndarray) -> np.ndarray:
        index_map = np.linalg.inv(affine) @ transform @ self.target[1]
        return ndimage.affine_transform(
            image, index_map[:3, :3], index_map[:3, 3], output_shape=self.near.shape, order=1
        )


def flatten(brain: np.ndarray, share: np.ndarray, sigma_voxels: np.ndarray) -> np.ndarray:
    """Divide a brain (X, Y, Z) by its local mean: what is left has no coil profile.

    Parameters
    ----------
    share
        Of brain in every voxel, 0 to 1.
    sigma_voxels
        Standard deviation of the Gaussian within which the mean is taken, (3,).
    """
    total, weight = (
        ndimage.gaussian_filter(image, sigma_voxels, mode="constant") for image in (brain, share)
    )
    mean = total / np.maximum(weight, 1e-6)
    strongest = float(mean[share > 0.5].max(initial=0.0))
    return np.where(share > 0, brain / np.maximum(mean, FAINTEST * strongest + 1e-12), 0)


def _largest_local(image: np.ndarray) -> float:
    return float(ndimage.gaussian_filter(image.astype(np.float32), LOCAL_VOXELS).max())
