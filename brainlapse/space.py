"""The voxel grid in MNI space that every later stage shares."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from brainlapse.settings import Settings

# Middle of the brain's bounding box in the ICBM152 2009a template, world mm (RAS).
BRAIN_CENTRE_MM = (0.0, -17.0, 5.0)

Edge = Annotated[int, Field(ge=16, le=512)]


class SpaceSettings(Settings):
    """Voxel size and shape of the MNI grid."""

    voxel_mm: float = Field(1.0, ge=0.5, le=6.0, description="Edge of the isotropic voxels [mm]")
    shape: tuple[Edge, Edge, Edge] = Field(
        (160, 192, 160),
        description="Voxels along left-right, back-front and foot-head; divisible by the "
        "downsampling of every autoencoder",
    )


@dataclass(frozen=True)
class Grid:
    """A regular grid in world space.

    Attributes
    ----------
    shape
        Voxels per axis.
    affine
        Voxel index to world mm (RAS), float64 (4, 4).
    """

    shape: tuple[int, int, int]
    affine: np.ndarray

    @property
    def voxel_volume_mm3(self) -> float:
        """Volume of one voxel [mm3]."""
        return float(abs(np.linalg.det(self.affine[:3, :3])))


def grid_at(voxel_mm: float, shape: tuple[int, int, int]) -> Grid:
    """Return the RAS+ grid of this voxel size and shape, centred on the template's brain."""
    affine = np.diag([voxel_mm, voxel_mm, voxel_mm, 1.0])
    half_extent_mm = (np.asarray(shape) - 1) / 2 * voxel_mm
    affine[:3, 3] = np.asarray(BRAIN_CENTRE_MM) - half_extent_mm
    return Grid(shape=shape, affine=affine)


def mni_grid(space: SpaceSettings) -> Grid:
    """Return the grid of the configured space."""
    return grid_at(space.voxel_mm, space.shape)
