"""Register a brain to the template by robust least squares, with Gauss-Newton steps.

Sought are the transform and the gain and offset of the intensities for which the squared
differences from the template are smallest. Voxels that differ far more than most, such as lesions
and the rims of unlike masks, hardly count: Reuter et al. (2010), NeuroImage 53:1181-1196, here
with the weights of Geman and McClure. No random numbers; from other starts nearby the same place
is reached to a few hundredths of a mm.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.linalg import expm

from brainlapse.preprocessing.orientation import voxel_sizes_mm
from brainlapse.preprocessing.registration.ants import Located
from brainlapse.preprocessing.registration.pose import Coarse, centre_of_mass, coarsen
from brainlapse.preprocessing.registration.settings import LevelSettings
from brainlapse.preprocessing.registration.transforms import without_scale

RIM_VOXELS = 2  # around the template's brain, at each resolution
SOME_BRAIN = 0.1  # of the template's median: a block that belongs to its brain
OUTLIER = 3.0  # in robust standard deviations: the difference that counts a quarter
STILL_MM = 0.005  # mean displacement of a step after which a resolution ends
LOST_MM = 60.0  # a step that goes further than this has lost the brain
MAD_TO_SD = 1.4826


def register_squares(
    target: Located, brain: Located, level: LevelSettings, start: np.ndarray
) -> np.ndarray:
    """Run one level from one start.

    Parameters
    ----------
    target, brain
        T1 of the template's brain, and the scan's from `registration.prepare_brain`.
    level
        Transform and resolutions. Brains of unlike size have no rigid best fit: a rigid level
        finds one scale as well, and leaves it out at the end, about the template's centre.
    start
        Template world to scan world mm (RAS), (4, 4).

    Returns
    -------
    numpy.ndarray
        Template world to scan world mm (RAS), float64 (4, 4), the start included. It never
        mirrors; where there is nothing to fit, it is the start.
    """
    rigid = level.transform == "rigid"
    basis = generators("similarity" if rigid else level.transform)
    transform = fit_squares(target, brain, level, start, basis)
    return without_scale(transform, centre_of_mass(Coarse(*target))) if rigid else transform


def fit_squares(
    target: Located, brain: Located, level: LevelSettings, start: np.ndarray, basis: np.ndarray
) -> np.ndarray:
    """Go from one start in the directions of `basis`, from coarse to fine; see `register_squares`.

    Parameters
    ----------
    basis
        From `generators`, (K, 4, 4).
    """
    voxel_mm = float(voxel_sizes_mm(target[1]).mean())
    transform = start
    for iterations, shrink, smoothing in zip(
        level.iterations, level.shrink, level.smoothing, strict=True
    ):
        fixed, moving = (
            at_resolution(*image, shrink * voxel_mm, smoothing * voxel_mm)
            for image in (target, brain)
        )
        share = min(1.0, level.sampling * (shrink / min(level.shrink)) ** 3)
        squares = Squares(fixed, moving, share)
        for _ in range(iterations):
            step = squares.step(transform, basis)
            moved_mm = squares.moved_mm(step)
            if not moved_mm < LOST_MM:
                break
            transform = transform @ step
            if moved_mm < STILL_MM:
                break
    return transform


def generators(transform: str) -> np.ndarray:
    """Return the directions in which a rigid, similarity or affine can change, (K, 4, 4)."""
    shifts = np.zeros((3, 4, 4))
    shifts[[0, 1, 2], [0, 1, 2], 3] = 1.0
    linear = np.zeros((9, 4, 4))
    linear[:, :3, :3] = np.eye(9).reshape(9, 3, 3)
    turns = (linear - linear.transpose(0, 2, 1))[[1, 2, 5]]
    scale = np.diag([1.0, 1.0, 1.0, 0.0])[None]
    free = {"rigid": [turns], "similarity": [turns, scale], "affine": [linear]}[transform]
    return np.concatenate([*free, shifts])


def at_resolution(
    volume: np.ndarray, affine: np.ndarray, voxel_mm: float, sigma_mm: float
) -> Located:
    """Average blocks of about `voxel_mm`, then smooth with a Gaussian."""
    coarse = coarsen(volume, affine, voxel_mm)
    sigma_voxels = sigma_mm / voxel_sizes_mm(coarse.affine)
    return ndimage.gaussian_filter(coarse.volume, sigma_voxels), coarse.affine


@dataclass
class Squares:
    """The squared differences at one resolution, as a function of the transform.

    Parameters
    ----------
    target, brain
        Volume (X, Y, Z) and affine each, 0 outside the brain.
    share
        Of the voxels near the template's brain that are read, 0 to 1.
    """

    target: Located
    brain: Located
    share: float

    def __post_init__(self) -> None:
        """Choose the voxels, and prepare the slopes of the scan."""
        volume, affine = self.target
        inside = volume > SOME_BRAIN * np.median(volume[volume > 0])
        near = np.argwhere(ndimage.binary_dilation(inside, iterations=RIM_VOXELS))
        read = near[:: max(1, round(1 / self.share))]
        points = read @ affine[:3, :3].T + affine[:3, 3]
        self.fixed = volume[tuple(read.T)].astype(np.float64)
        self.centre = np.eye(4)
        self.centre[:3, 3] = points.mean(axis=0)
        self.places = np.column_stack([points - self.centre[:3, 3], np.ones(len(points))])
        self.slopes = np.gradient(self.brain[0])
        self.weights = np.ones(len(read))

    def step(self, transform: np.ndarray, basis: np.ndarray) -> np.ndarray:
        """Return the Gauss-Newton step that follows a transform, (4, 4).

        The weights follow the differences that it finds.
        """
        to_voxel = np.linalg.inv(self.brain[1]) @ transform @ self.centre
        voxels = to_voxel[:3] @ self.places.T
        values, *along_axes = (
            ndimage.map_coordinates(image, voxels, order=1, prefilter=False, output=np.float64)
            for image in (self.brain[0], *self.slopes)
        )
        gain, offset = self._match(values)
        differences = self.fixed - gain * values - offset
        spread = MAD_TO_SD * np.median(np.abs(differences))
        if not spread > 0 or gain == 0:
            return np.eye(4)
        self.weights = (1 + (differences / (OUTLIER * spread)) ** 2) ** -2.0
        slopes_mm = gain * np.column_stack(along_axes) @ to_voxel[:3, :3]
        twelve = (slopes_mm[:, :, None] * self.places[:, None, :]).reshape(-1, 12)
        moves = twelve @ basis[:, :3].reshape(-1, 12).T
        columns = np.column_stack([moves, values, np.ones(len(values))])
        weighed = columns * self.weights[:, None]
        found = np.linalg.lstsq(weighed.T @ columns, weighed.T @ differences, rcond=None)[0]
        small = np.tensordot(found[: len(basis)], basis, axes=1)
        return self.centre @ expm(small) @ np.linalg.inv(self.centre)

    def moved_mm(self, step: np.ndarray) -> float:
        """Return the mean displacement of a step over the voxels that are read [mm]."""
        local = np.linalg.inv(self.centre) @ step @ self.centre - np.eye(4)
        return float(np.linalg.norm(self.places @ local[:3].T, axis=1).mean())

    def _match(self, values: np.ndarray) -> tuple[float, float]:
        """Gain and offset that bring values closest to the template."""
        total = self.weights.sum()
        mean, fixed_mean = self.weights @ values / total, self.weights @ self.fixed / total
        variance = self.weights @ (values - mean) ** 2
        gain = self.weights @ ((values - mean) * (self.fixed - fixed_mean)) / max(variance, 1e-12)
        return float(gain), float(fixed_mean - gain * mean)
