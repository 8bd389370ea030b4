"""Measure how well one scan went through preprocessing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg, ndimage

from brainlapse.preprocessing.agreement import correlation, dice
from brainlapse.preprocessing.bias import remove_offset
from brainlapse.preprocessing.orientation import voxel_sizes_mm, voxel_volume_ml
from brainlapse.preprocessing.quality.reference import Reference
from brainlapse.preprocessing.quality.residual_pose import residual_pose, rotation_degrees

SURE_TISSUE = 0.9  # template probability above which a voxel stands for its tissue
DEEP_MM = 10.0  # fluid deeper in the template's brain than this is its ventricles
CLEARLY_DARKER = 0.3  # of the common scale of intensities: fluid against grey matter, on T1
DARK_SHARE = 0.1  # of the usual brightest voxel: slices that stay below are empty
SUNK_MM = 4.0  # a mask may end this far before the edge that cuts the brain
FLAT_SHARE = 0.4  # of the largest cross-section: a rounded surface covers less in `SUNK_MM`


@dataclass(frozen=True)
class NativeScan:
    """A scan before registration, on its own grid.

    Attributes
    ----------
    raw, corrected
        (X, Y, Z) intensities before and after bias correction.
    mask
        bool (X, Y, Z), the brain.
    affine
        Voxel to world mm (RAS), (4, 4).
    """

    raw: np.ndarray
    corrected: np.ndarray
    mask: np.ndarray
    affine: np.ndarray


def measure(
    native: NativeScan,
    transform: np.ndarray,
    brain: np.ndarray,
    brain_mask: np.ndarray,
    reference: Reference,
    grid_affine: np.ndarray,
) -> dict[str, float]:
    """Measure how well every stage went.

    Parameters
    ----------
    native
        The scan on its own grid.
    transform
        Template world to scan world mm, (4, 4).
    brain, brain_mask
        Normalised intensities and mask on the MNI grid.
    reference
        The template on the same grid.
    grid_affine
        Voxel to world mm (RAS) of that grid, (4, 4).

    Returns
    -------
    dict
        See `docs/preprocessing.md` for the meaning of each number.
    """
    affine = describe_affine(transform)
    mni_mask_ml = float(brain_mask.sum()) * voxel_volume_ml(grid_affine)
    fluid = fluid_in_white(brain, brain_mask, reference, grid_affine)
    return {
        "mask_volume_ml": float(native.mask.sum()) * voxel_volume_ml(native.affine),
        "intracranial_ml": mni_mask_ml / affine["affine_determinant"],
        "cut_area_cm2": cut_area_cm2(native.corrected, native.mask, native.affine),
        "dark_slices": float(dark_slices(native.corrected, native.mask)),
        "bias_range": bias_range(native),
        **affine,
        "template_overlap": dice(brain_mask, reference.brain_mask),
        "template_correlation": correlation(brain, reference.t1, reference.brain_mask & ~fluid),
        **residual_pose(brain, reference.t1, reference.brain_mask, grid_affine),
        **tissue_contrast(brain, brain_mask, reference, fluid),
    }


def describe_affine(transform: np.ndarray) -> dict[str, float]:
    """Split the map from scan to template into scales and shears.

    The inverse of `transform`, scan world to template world, is written as a rotation followed by
    an upper triangle (RQ): along the template's axes, however the head lies in the scanner. The
    triangle's diagonal holds the scales along x, y, z; its other entries, divided by the scale of
    their row, the shears.

    Parameters
    ----------
    transform
        Template world to scan world mm, (4, 4).

    Returns
    -------
    dict
        scale_x, scale_y, scale_z; shear_xy, shear_xz, shear_yz; rotation_degrees, by which the
        head is turned against the axes that its header names; and affine_determinant =
        MNI volume / native volume: a structure of V mm3 in MNI space has
        V / affine_determinant mm3 in the head itself.
    """
    triangle, _ = linalg.rq(np.linalg.inv(transform)[:3, :3])
    triangle = triangle @ np.diag(np.sign(np.diag(triangle)))
    scale = np.diag(triangle)
    return {
        "affine_determinant": 1.0 / abs(float(np.linalg.det(transform[:3, :3]))),
        "scale_x": float(scale[0]),
        "scale_y": float(scale[1]),
        "scale_z": float(scale[2]),
        "shear_xy": float(triangle[0, 1] / scale[0]),
        "shear_xz": float(triangle[0, 2] / scale[0]),
        "shear_yz": float(triangle[1, 2] / scale[1]),
        "rotation_degrees": rotation_degrees(transform[:3, :3]),
    }


def bias_range(native: NativeScan) -> float:
    """Return the 98th over the 2nd percentile of the bias field inside the mask, at least 1."""
    raw = remove_offset(native.raw)  # as before the field was fitted
    inside = native.mask & (native.corrected > 0) & (raw > 0)
    if not inside.any():
        return 1.0
    field = raw[inside].astype(float) / native.corrected[inside]
    weak, strong = np.percentile(field, (2, 98))
    return float(strong / weak)


def cut_area_cm2(raw: np.ndarray, mask: np.ndarray, affine: np.ndarray) -> float:
    """Return the area over which the brain ends where the signal ends [cm2].

    That is the area in which the mask touches the edge of the field of view, and, where a part of
    the volume was emptied or padded, the flat face in which the brain ends there.

    Parameters
    ----------
    raw, mask
        (X, Y, Z) raw intensities and bool brain mask.
    affine
        Voxel to world mm (RAS), (4, 4).
    """
    sizes_mm = voxel_sizes_mm(affine)
    area_mm2 = 0.0
    for axis in range(3):
        sections = mask.sum(axis=_others(axis))  # voxels per slice
        bright = np.flatnonzero(bright_slices(raw, axis))
        depth = max(1, round(SUNK_MM / sizes_mm[axis]))
        voxels = _end_voxels(sections, int(bright[0]), depth)
        voxels += _end_voxels(sections[::-1], len(sections) - 1 - int(bright[-1]), depth)
        area_mm2 += voxels * float(np.delete(sizes_mm, axis).prod())
    return area_mm2 / 100.0


def _end_voxels(sections: np.ndarray, start: int, depth: int) -> int:
    """Return the mask's voxels at one end of an axis, where the signal begins at `start`."""
    if start == 0:
        return int(sections[0])
    widest = int(sections[start : start + depth].max())
    return widest if widest > FLAT_SHARE * sections.max() else 0


def dark_slices(raw: np.ndarray, mask: np.ndarray) -> int:
    """Count the slices without signal that have brain on both sides, over the three axes."""
    count = 0
    for axis in range(3):
        brain = np.flatnonzero(mask.any(axis=_others(axis)))
        if brain.size:
            bright = np.flatnonzero(bright_slices(raw, axis)[brain[0] : brain[-1] + 1])
            count += int(bright[-1] - bright[0] + 1 - bright.size) if bright.size else 0
    return count


def bright_slices(raw: np.ndarray, axis: int) -> np.ndarray:
    """Return which slices (N,) along an axis hold signal: bool, at least one."""
    peaks = raw.max(axis=_others(axis)) - raw.min()
    return peaks >= DARK_SHARE * np.percentile(peaks, 75)


def _others(axis: int) -> tuple[int, ...]:
    return tuple(other for other in range(3) if other != axis)


def fluid_in_white(
    brain: np.ndarray, mask: np.ndarray, reference: Reference, grid_affine: np.ndarray
) -> np.ndarray:
    """Find fluid where the template surely has white matter: wide ventricles, no fault of a scan.

    It is darker than halfway from grey matter to what lies in the template's ventricles. Where that
    is not clearly darker than grey matter, as in another contrast, noise or a wrong pose, nothing
    passes for fluid.

    Parameters
    ----------
    brain, mask
        (X, Y, Z) normalised intensities, and bool mask, on the MNI grid.
    grid_affine
        Voxel to world mm (RAS), (4, 4).

    Returns
    -------
    numpy.ndarray
        bool (X, Y, Z).
    """
    voxels = max(1, round(DEEP_MM / float(voxel_sizes_mm(grid_affine).max())))
    deep = mask & ndimage.binary_erosion(reference.brain_mask, iterations=voxels)
    ventricles = brain[deep & (reference.grey + reference.white < 1 - SURE_TISSUE)]
    grey = brain[mask & (reference.grey > SURE_TISSUE)]
    if not (ventricles.size and grey.size):
        return np.zeros(mask.shape, dtype=bool)
    fluid_level, grey_level = float(np.median(ventricles)), float(np.median(grey))
    if grey_level - fluid_level < CLEARLY_DARKER:
        return np.zeros(mask.shape, dtype=bool)
    dark = brain < (fluid_level + grey_level) / 2
    return mask & dark & (reference.white > SURE_TISSUE)


def tissue_contrast(
    brain: np.ndarray, mask: np.ndarray, reference: Reference, fluid: np.ndarray
) -> dict[str, float]:
    """Compare white and grey matter where the template is sure of the tissue.

    Centre and spread are median and scaled median deviation, without the fluid that
    `fluid_in_white` finds.

    Returns
    -------
    dict
        white_snr: centre / spread of white matter; contrast: (white - grey) / root mean square
        of the spreads; joint_variation (CJV): (spread white + spread grey) / |white - grey|.
    """
    inside = ndimage.binary_erosion(mask)
    white = brain[inside & (reference.white > SURE_TISSUE) & ~fluid].astype(float)
    grey = brain[inside & (reference.grey > SURE_TISSUE)].astype(float)
    if white.size < 2 or grey.size < 2 or _spread(white) == 0:
        return {"white_snr": 0.0, "contrast": 0.0, "joint_variation": 1e3}
    difference = np.median(white) - np.median(grey)
    spreads = np.array([_spread(white), _spread(grey)])
    return {
        "white_snr": float(np.median(white) / _spread(white)),
        "contrast": float(difference / np.sqrt((spreads**2).mean())),
        "joint_variation": float(spreads.sum() / max(abs(difference), 1e-3)),
    }


def _spread(values: np.ndarray) -> float:
    """Return the median absolute deviation, scaled to the SD of a normal distribution."""
    return float(1.4826 * np.median(np.abs(values - np.median(values))))


def quality_record(
    numbers: Mapping[str, float | None],
    mask: dict[str, Any],
    fingerprint: str,
    visit: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the content of ``_qc.json``: numbers, how the mask was found, ``_visit.json``.

    Numbers that a scan does not have are None.
    """
    numbers = {"mask_score": mask["score"], **numbers}
    rounded = {
        name: None if value is None else float(f"{value:.6g}") for name, value in numbers.items()
    }
    record = {"numbers": rounded, "mask": mask, "fingerprint": fingerprint}
    return record | ({"visit": dict(visit)} if visit else {})
