"""Real heads with a segmentation, as the benchmarks alter and break them."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from brainlapse.preprocessing.orientation import voxel_sizes_mm


@dataclass(frozen=True)
class Head:
    """A head, its segmentation and affine, axes near RAS+.

    Attributes
    ----------
    volume, labels
        (X, Y, Z) intensities and int labels.
    affine
        Voxel to world mm (RAS), (4, 4).
    groups
        Labels by name of the group: "intracranial", "white_matter", "ventricles", "cortical_csf".
    """

    volume: np.ndarray
    labels: np.ndarray
    affine: np.ndarray
    groups: dict[str, list[int]]

    def is_in(self, group: str) -> np.ndarray:
        """Mask of a group of labels."""
        return np.isin(self.labels, self.groups[group])

    @property
    def brain(self) -> np.ndarray:
        """Mask of all inside the skull."""
        return self.is_in("intracranial")

    @property
    def white(self) -> float:
        """Median intensity of white matter."""
        return float(np.median(self.volume[self.is_in("white_matter")]))

    @property
    def sizes_mm(self) -> np.ndarray:
        """Voxel edges, (3,)."""
        return voxel_sizes_mm(self.affine)

    def around_brain_mm(self) -> np.ndarray:
        """Distance to the brain [mm], 0 inside."""
        return ndimage.distance_transform_edt(~self.brain, sampling=self.sizes_mm)

    def points_mm(self) -> np.ndarray:
        """World coordinates of the voxels, (3, X, Y, Z), 0 at the brain's centre."""
        voxels = np.indices(self.volume.shape).reshape(3, -1)
        middle = np.argwhere(self.brain).mean(axis=0)[:, None]
        return (self.affine[:3, :3] @ (voxels - middle)).reshape(3, *self.volume.shape)

    def inside_skin(self) -> np.ndarray:
        """Mask of everything inside the skin."""
        bright = np.pad(self.volume > 0.15 * self.white, 8)
        closed = ndimage.binary_closing(bright, iterations=6)
        return ndimage.binary_fill_holes(closed)[8:-8, 8:-8, 8:-8]
