"""Compare a visit with an earlier one of the same person: the transform, the field, the numbers."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from brainlapse.images import resample_to_grid
from brainlapse.preprocessing.longitudinal.alignment import (
    Alignment,
    align_brains,
    brain_points_mm,
    mean_distance_mm,
)
from brainlapse.preprocessing.longitudinal.difference_field import (
    FWHM_PER_SIGMA,
    RATIO_GRID,
    find_difference,
)
from brainlapse.preprocessing.longitudinal.field import FIELD_GRID
from brainlapse.preprocessing.longitudinal.settings import LongitudinalSettings
from brainlapse.preprocessing.longitudinal.visit import Root, Visit
from brainlapse.preprocessing.orientation import voxel_volume_ml
from brainlapse.preprocessing.quality.residual_pose import rotation_degrees
from brainlapse.preprocessing.registration.ants import Located, prepare_brain

WHOLE = 0.98  # share of brain: a voxel that the mask's edge does not touch
BRIGHT = 0.3  # of the median: darker values are fluid
DETAIL_EVERY = 3  # of the earlier brain's voxels are read for `detail_correlation`


@dataclass(frozen=True)
class Pair:
    """A visit against a root.

    Attributes
    ----------
    transform
        Template world to the visit's world mm, (4, 4), by way of the root.
    log_field
        By how much the visit is brighter than the root, natural logarithm on `FIELD_GRID`.
    numbers
        See `docs/preprocessing.md`.
    """

    transform: np.ndarray
    log_field: np.ndarray
    numbers: dict[str, float]


def compare_visits(
    root: Root, visit: Visit, voxel_mm: float, settings: LongitudinalSettings
) -> Pair:
    """Align a visit to a root and measure how much they differ.

    Parameters
    ----------
    voxel_mm
        Size of the voxels that the two are registered at [mm].
    """
    brains = (_prepare(root, voxel_mm), _prepare(visit, voxel_mm))
    alignment = align_brains(*brains)
    transforms = (root.transform, alignment.motion @ root.transform)
    (earlier, inside), (later, own) = (
        _on_ratio_grid(brain, transform)
        for brain, transform in zip(brains, transforms, strict=True)
    )
    log_field = find_difference(earlier, later, settings.field_fwhm_mm)
    both = (earlier > 0) & (later > 0)
    gain = _median(visit) / _median(root)  # the prepared brains have it taken out
    numbers = {
        **describe_motion(alignment, brains[0]),
        "detail_correlation": detail_correlation(*brains, alignment.motion),
        "mask_coverage": float((own & inside).sum() / max(1, own.sum())),
        "mask_volume_ratio": _mask_ml(visit) / _mask_ml(root),
        "voxel_volume_ratio": voxel_volume_ml(visit.affine) / voxel_volume_ml(root.affine),
        "brightness_ratio": float(np.exp(np.median(log_field[both]))) * gain,
        "field_change": float(log_field[both].std()),
        "contrast_ratio": contrast_ratio(earlier, later * np.exp(-log_field), both),
    }
    kept = resample_to_grid(log_field + np.log(gain), RATIO_GRID.affine, FIELD_GRID)
    return Pair(transforms[1], kept, numbers)


def describe_motion(alignment: Alignment, earlier: Located) -> dict[str, float]:
    """Say how far the head lay elsewhere, and how well the two agree once aligned."""
    moved = mean_distance_mm(alignment.motion, np.eye(4), brain_points_mm(earlier))
    return {
        "moved_mm": moved,
        "turned_degrees": rotation_degrees(alignment.motion[:3, :3]),
        "apart_mm": alignment.apart_mm,
        "scale": alignment.scale,
        "correlation": alignment.correlation,
    }


def detail_correlation(earlier: Located, visit: Located, motion: np.ndarray) -> float:
    """Return Pearson's correlation of the voxels of the earlier brain; 1 for the same image."""
    read = np.argwhere(earlier[0] > 0)[::DETAIL_EVERY]
    to_voxel = np.linalg.inv(visit[1]) @ motion @ earlier[1]
    places = to_voxel[:3, :3] @ read.T + to_voxel[:3, 3:]
    found = ndimage.map_coordinates(visit[0], places, order=1)
    return float(np.corrcoef(earlier[0][tuple(read.T)], found)[0, 1])


def contrast_ratio(earlier: np.ndarray, later: np.ndarray, both: np.ndarray) -> float:
    """Return how much wider the log intensities of the later visit spread over the same tissue.

    1 where the contrast stayed; another scanner or sequence spreads grey and white matter farther
    or less far apart. A ratio of spreads, unlike a slope, does not depend on the noise of the two.
    """
    values = np.stack([earlier[both], later[both]])
    values /= np.median(values, axis=1, keepdims=True)
    tissue = (values > BRIGHT).all(axis=0)
    low, high = np.percentile(np.log(values[:, tissue]), (10, 90), axis=1)
    return float((high - low)[1] / (high - low)[0])


def _prepare(visit: Visit, voxel_mm: float) -> Located:
    return prepare_brain(visit.volume, visit.mask, visit.affine, voxel_mm)


def _on_ratio_grid(brain: Located, transform: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bring a prepared brain to `RATIO_GRID`: values, 0 near the edge and outside; its mask."""
    volume, affine = brain
    steps_mm = np.linalg.norm(affine[:3, :3], axis=0)
    target_mm = RATIO_GRID.voxel_volume_mm3 ** (1 / 3)
    sigma = np.sqrt(np.maximum(target_mm**2 - steps_mm**2, 0)) / FWHM_PER_SIGMA / steps_mm
    image, share = (
        resample_to_grid(ndimage.gaussian_filter(part, sigma), affine, RATIO_GRID, transform)
        for part in (volume, (volume > 0).astype(np.float32))
    )
    return np.where(share > WHOLE, image, 0), share > 0.5


def _median(visit: Visit) -> float:
    return float(np.median(visit.volume[visit.mask]))


def _mask_ml(visit: Visit) -> float:
    return float(visit.mask.sum()) * voxel_volume_ml(visit.affine)
