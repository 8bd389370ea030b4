"""The visits of one person at 1 mm in the space that they share, ready to be segmented."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from brainlapse.images import load_volume
from brainlapse.preprocessing.intensity import find_anchors, normalise
from brainlapse.preprocessing.longitudinal.field import FIELD_GRID, remove_difference
from brainlapse.preprocessing.longitudinal.files import VisitFiles
from brainlapse.preprocessing.longitudinal.visit import Root, read_visit, root_of
from brainlapse.preprocessing.resampling import resample_inside, resample_mask
from brainlapse.preprocessing.settings import IntensitySettings, ResamplingSettings
from brainlapse.space import Grid
from brainlapse.template import load_template

FAINTEST = np.float32(1e-3)  # of the brain: what is 0 lies outside


@dataclass(frozen=True)
class Shared:
    """What visits take over from the one that they joined: mask on a grid, intensity anchors."""

    inside: np.ndarray
    anchors: tuple[float, float]


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
        self._roots: dict[str, Shared] = {}

    def brain(self, visit: VisitFiles, root: VisitFiles) -> np.ndarray:
        """Return one brain, float32 on the grid, 0 to 1, and 0 exactly outside the mask.

        Parameters
        ----------
        visit, root
            The visit, and the one that it joined; twice the same for a root.
        """
        if root.scan not in self._roots:
            self._roots[root.scan] = self.share(read_visit(root))
        field = load_volume(visit.field, FIELD_GRID.shape)[0] if visit != root else None
        return lift(*self.place(read_visit(visit), self._roots[root.scan], field))

    def share(self, root: Root) -> Shared:
        """Return mask and anchors of a root."""
        inside = resample_mask(root.mask, root.affine, self.grid, root.transform, self.resampling)
        found = self._sample(root, inside)
        white = load_template(self.grid).white[inside]
        return Shared(inside, find_anchors(found[inside], self.intensity, white))

    def place(
        self, visit: Root, shared: Shared, log_field: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return a normalised brain and its mask; `log_field` of later visits, see `Pair`."""
        found = self._sample(visit, shared.inside)
        if log_field is not None:
            found = remove_difference(found, log_field, self.grid)
        return normalise(found, shared.inside, self.intensity, shared.anchors), shared.inside

    def _sample(self, visit: Root, inside: np.ndarray) -> np.ndarray:
        return resample_inside(
            visit.volume, visit.affine, self.grid, visit.transform, inside, self.resampling
        )


def lift(brain: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return a normalised brain that is 0 nowhere but outside its mask."""
    return np.where(inside, np.maximum(brain, FAINTEST), 0)


def with_roots(
    names: list[str], visits: Mapping[str, VisitFiles]
) -> Iterator[tuple[VisitFiles, VisitFiles]]:
    """Return each named visit and the one that it joined."""
    for name in names:
        root = root_of(visits[name].quality)
        yield visits[name], visits[root or name]
