"""How well a brain lies on the template: found out cheaply, to catch a failed registration."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from brainlapse.preprocessing.registration.pose import Coarse, coarsen

FIT_MM = 4.0


@dataclass(frozen=True)
class Fit:
    """Numbers of one transform.

    Attributes
    ----------
    correlation
        Pearson's, of the brain and the template's T1 at 4 mm, over the template's brain and a rim
        of one voxel.
    overlap
        Dice of the brain and the template's.
    """

    correlation: float
    overlap: float


class FitJudge:
    """Judges transforms of one brain.

    Parameters
    ----------
    brain, template
        Volume (X, Y, Z) and affine each; 0 outside the brain.
    """

    def __init__(
        self, brain: tuple[np.ndarray, np.ndarray], template: tuple[np.ndarray, np.ndarray]
    ) -> None:
        self.brain = coarsen(*brain, FIT_MM)
        self.share = coarsen((brain[0] > 0).astype(np.float32), brain[1], FIT_MM).volume
        self.template = coarsen(*template, FIT_MM)
        self.inside = self.template.volume > 0
        self.near = ndimage.binary_dilation(self.inside)

    def fit(self, transform: np.ndarray, free_scale: bool = False) -> Fit:
        """Judge a transform, template world to scan world mm, (4, 4).

        Parameters
        ----------
        free_scale
            Compare as if the brain were as large as the template's: for transforms without
            scales, which leave them to a later level.
        """
        if free_scale:
            transform = transform @ self._resize(transform)
        values = self._sample(self.brain.volume, transform)[self.near]
        found = self._sample(self.share, transform) > 0.5
        total = int(found.sum() + self.inside.sum())
        overlap = 2.0 * int((found & self.inside).sum()) / total
        spread = float(values.std())
        reference = self.template.volume[self.near]
        correlation = float(np.corrcoef(values, reference)[0, 1]) if spread > 0 else 0.0
        return Fit(correlation, overlap)

    def _sample(self, volume: np.ndarray, transform: np.ndarray) -> np.ndarray:
        index_map = np.linalg.inv(self.brain.affine) @ transform @ self.template.affine
        return ndimage.affine_transform(
            volume,
            index_map[:3, :3],
            index_map[:3, 3],
            output_shape=self.template.volume.shape,
            order=1,
        )

    def _resize(self, transform: np.ndarray) -> np.ndarray:
        """Scale about the template's centre that makes both brains equally large, (4, 4)."""
        volumes = [
            float(total) * abs(np.linalg.det(coarse.affine[:3, :3]))
            for total, coarse in (
                (self.share.sum(), self.brain),
                (self.inside.sum(), self.template),
            )
        ]
        scale = (volumes[0] / volumes[1] / abs(np.linalg.det(transform[:3, :3]))) ** (1 / 3)
        centre = _world(self.template, np.argwhere(self.inside).mean(axis=0))
        resize = np.eye(4)
        resize[:3, :3] *= scale
        resize[:3, 3] = centre - scale * centre
        return resize


def _world(coarse: Coarse, voxel: np.ndarray) -> np.ndarray:
    return coarse.affine[:3, :3] @ voxel + coarse.affine[:3, 3]
