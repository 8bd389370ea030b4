"""Where the template expects each tissue, on the grid of the scans; made once per run."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

from brainlapse.runtime import atomic_path
from brainlapse.segmentation.errors import SegmentationFailed
from brainlapse.space import Grid
from brainlapse.template import Template, load_template

PRIOR_SMOOTHING_MM = 4.0  # an affine leaves sulci and ventricles misplaced by millimetres
PRIOR_FLOOR = 0.03
SUPPORT_MARGIN_MM = 8.0


@dataclass(frozen=True)
class TissueAtlas:
    """Spatial priors on one grid in MNI space.

    Attributes
    ----------
    priors
        (3, X, Y, Z) probability of CSF, grey matter and white matter, float32; they add to 1.
    ventricle_region
        bool (X, Y, Z), where ventricles may lie.
    support
        bool (X, Y, Z), where a brain may lie.
    affine
        Voxel to world mm (4, 4).
    """

    priors: np.ndarray
    ventricle_region: np.ndarray
    support: np.ndarray
    affine: np.ndarray

    @property
    def voxel_mm(self) -> float:
        """Edge of the isotropic voxels [mm]."""
        return float(abs(np.linalg.det(self.affine[:3, :3])) ** (1 / 3))


def build_atlas(grid: Grid) -> TissueAtlas:
    """Make the atlas of the template on a grid (seconds)."""
    return atlas_of(load_template(grid), grid)


def atlas_of(template: Template, grid: Grid) -> TissueAtlas:
    """Turn template maps on a grid into priors that forgive a few millimetres."""
    voxel_mm = grid.voxel_volume_mm3 ** (1 / 3)
    csf = np.clip(template.brain_mask - template.grey - template.white, 0, 1)
    maps = np.stack([csf, template.grey, template.white]).astype(np.float32)
    smooth = np.stack([ndimage.gaussian_filter(m, PRIOR_SMOOTHING_MM / voxel_mm) for m in maps])
    smooth = np.clip(smooth, 0, None) + PRIOR_FLOOR
    to_brain_mm = ndimage.distance_transform_edt(~template.brain_mask) * voxel_mm
    return TissueAtlas(
        priors=smooth / smooth.sum(axis=0),
        ventricle_region=template.ventricle_region,
        support=to_brain_mm <= SUPPORT_MARGIN_MM,
        affine=grid.affine,
    )


def save_atlas(path: str | Path, atlas: TissueAtlas) -> None:
    """Write the atlas as ``.npz``."""
    with atomic_path(path) as temporary:
        np.savez(
            temporary,
            priors=atlas.priors,
            ventricle_region=atlas.ventricle_region,
            support=atlas.support,
            affine=atlas.affine,
        )


def read_atlas(path: str | Path) -> TissueAtlas:
    """Read an atlas that `save_atlas` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        return TissueAtlas(**{name: arrays[name] for name in arrays.files})


def check_grid(atlas: TissueAtlas, shape: tuple[int, ...], affine: np.ndarray) -> None:
    """Refuse a scan on another grid than the atlas's (`SegmentationFailed`)."""
    expected = atlas.support.shape
    if tuple(shape) != expected or not np.allclose(affine, atlas.affine, atol=1e-3):
        message = (
            f"expected the grid of the run, {expected}, in MNI space; found {tuple(shape)} "
            "or another affine: segment what this run preprocessed or decoded"
        )
        raise SegmentationFailed(message)
