"""The visits of one person at 1 mm in the space that they share, ready to be segmented."""

from collections.abc import Iterator, Mapping

import numpy as np

from brainlapse.images import load_volume
from brainlapse.preprocessing.intensity import find_anchors, normalise
from brainlapse.preprocessing.longitudinal.field import FIELD_GRID, remove_difference
from brainlapse.preprocessing.longitudinal.files import VisitFiles
from brainlapse.preprocessing.longitudinal.visit import Root, read_visit, root_of
from brainlapse.preprocessing.resampling import resample_inside, resample_mask
from brainlapse.preprocessing.settings import IntensitySettings, ResamplingSettings
from brainlapse.space import Grid

FAINTEST = np.float32(1e-3)  # of the brain: what is 0 lies outside


class AlignedVisits:
    """Brings visits to a grid, each with the mask and the scale of the visit that it joined.

    Parameters
    ----------
    grid
        In MNI space.
    resampling, intensity
        How to interpolate and to scale.
    """

    def __init__(
        self, grid: Grid, resampling: ResamplingSettings, intensity: IntensitySettings
    ) -> None:
        self.grid, self.resampling, self.intensity = grid, resampling, intensity
        self._roots: dict[str, tuple[np.ndarray, tuple[float, float]]] = {}

    def brain(self, visit: VisitFiles, root: VisitFiles) -> np.ndarray:
        """Return one brain, float32 on the grid, 0 to 1, and 0 exactly outside the mask.

        Parameters
        ----------
        visit, root
            The visit, and the one that it joined; twice the same for a root.
        """
        if root.scan not in self._roots:
            self._roots[root.scan] = self._shared(read_visit(root))
        inside, anchors = self._roots[root.scan]
        found = self._sample(read_visit(visit), inside)
        if visit != root:
            found = remove_difference(
                found, load_volume(visit.field, FIELD_GRID.shape)[0], self.grid
            )
        scaled = normalise(found, inside, self.intensity, anchors)
        return np.where(inside, np.maximum(scaled, FAINTEST), 0)

    def _shared(self, root: Root) -> tuple[np.ndarray, tuple[float, float]]:
        """Mask and anchors of the visits that joined a root."""
        inside = resample_mask(root.mask, root.affine, self.grid, root.transform, self.resampling)
        found = self._sample(root, inside)
        return inside, find_anchors(found[inside].astype(np.float64), self.intensity)

    def _sample(self, visit: Root, inside: np.ndarray) -> np.ndarray:
        return resample_inside(
            visit.volume, visit.affine, self.grid, visit.transform, inside, self.resampling
        )


def with_roots(
    names: list[str], visits: Mapping[str, VisitFiles]
) -> Iterator[tuple[VisitFiles, VisitFiles]]:
    """Return each named visit and the one that it joined."""
    for name in names:
        root = root_of(visits[name].quality)
        yield visits[name], visits[root or name]
