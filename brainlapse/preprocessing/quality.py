"""Judge one preprocessed scan by numbers: accepted, flagged or rejected, with reasons in words."""

from dataclasses import asdict, dataclass

import numpy as np
from scipy import linalg, ndimage

from brainlapse.preprocessing.orientation import voxel_sizes_mm, voxel_volume_ml
from brainlapse.preprocessing.reference import Reference
from brainlapse.preprocessing.settings import QualitySettings

SURE_TISSUE = 0.9  # template probability above which a voxel stands for its tissue


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


@dataclass(frozen=True)
class Verdict:
    """Outcome of the quality check; `status` is accepted, flagged or rejected."""

    status: str
    reasons: list[str]


def measure(
    native: NativeScan,
    transform: np.ndarray,
    brain: np.ndarray,
    brain_mask: np.ndarray,
    reference: Reference,
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

    Returns
    -------
    dict
        See `docs/preprocessing.md` for the meaning of each number.
    """
    return {
        "mask_volume_ml": float(native.mask.sum()) * voxel_volume_ml(native.affine),
        "cut_area_cm2": cut_area_cm2(native.mask, native.affine),
        "bias_range": bias_range(native),
        **describe_affine(transform),
        "template_overlap": dice(brain_mask, reference.brain_mask),
        "template_correlation": correlation(brain, reference.t1, reference.brain_mask),
        **tissue_contrast(brain, brain_mask, reference),
    }


def dice(first: np.ndarray, second: np.ndarray) -> float:
    """Return the Dice coefficient of two bool masks: 2 |A and B| / (|A| + |B|)."""
    total = int(first.sum()) + int(second.sum())
    return 2.0 * int((first & second).sum()) / total if total else 0.0


def correlation(first: np.ndarray, second: np.ndarray, mask: np.ndarray) -> float:
    """Return Pearson's correlation of two volumes inside a mask; 0 if one is constant."""
    a = first[mask] - first[mask].mean(dtype=float)
    b = second[mask] - second[mask].mean(dtype=float)
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norm if norm > 0 else 0.0


def describe_affine(transform: np.ndarray) -> dict[str, float]:
    """Split the map from scan to template into scales and shears.

    The inverse of `transform`, scan world to template world, is written as rotation times upper
    triangle (QR). The triangle's diagonal holds the scales along x, y, z; its other entries,
    divided by the scale of their row, the shears.

    Parameters
    ----------
    transform
        Template world to scan world mm, (4, 4).

    Returns
    -------
    dict
        scale_x, scale_y, scale_z; shear_xy, shear_xz, shear_yz; and affine_determinant =
        MNI volume / native volume: a structure of V mm3 in MNI space has
        V / affine_determinant mm3 in the head itself.
    """
    _, triangle = linalg.qr(np.linalg.inv(transform)[:3, :3])
    triangle = np.diag(np.sign(np.diag(triangle))) @ triangle
    scale = np.diag(triangle)
    return {
        "affine_determinant": 1.0 / abs(float(np.linalg.det(transform[:3, :3]))),
        "scale_x": float(scale[0]),
        "scale_y": float(scale[1]),
        "scale_z": float(scale[2]),
        "shear_xy": float(triangle[0, 1] / scale[0]),
        "shear_xz": float(triangle[0, 2] / scale[0]),
        "shear_yz": float(triangle[1, 2] / scale[1]),
    }


def bias_range(native: NativeScan) -> float:
    """Return the 98th over the 2nd percentile of the bias field inside the mask, at least 1."""
    inside = native.mask & (native.corrected > 0) & (native.raw > 0)
    if not inside.any():
        return 1.0
    field = native.raw[inside].astype(float) / native.corrected[inside]
    weak, strong = np.percentile(field, (2, 98))
    return float(strong / weak)


def cut_area_cm2(mask: np.ndarray, affine: np.ndarray) -> float:
    """Return the area over which the brain touches the edge of the field of view [cm2]."""
    sizes_mm = voxel_sizes_mm(affine)
    area_mm2 = 0.0
    for axis in range(3):
        touching = int(mask.take(0, axis).sum()) + int(mask.take(-1, axis).sum())
        area_mm2 += touching * float(np.delete(sizes_mm, axis).prod())
    return area_mm2 / 100.0


def tissue_contrast(brain: np.ndarray, mask: np.ndarray, reference: Reference) -> dict[str, float]:
    """Compare white and grey matter where the template is sure of the tissue.

    Centre and spread are median and scaled median deviation: where ventricles are wide, part of
    the template's white matter is fluid.

    Returns
    -------
    dict
        white_snr: centre / spread of white matter; contrast: (white - grey) / root mean square
        of the spreads; joint_variation (CJV): (spread white + spread grey) / |white - grey|.
    """
    inside = ndimage.binary_erosion(mask)
    white = brain[inside & (reference.white > SURE_TISSUE)].astype(float)
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


@dataclass(frozen=True)
class Limit:
    """The plausible range of one number; `low` and `high` may be infinite."""

    name: str
    words: str
    low: float = -np.inf
    high: float = np.inf

    def broken_by(self, value: float) -> str | None:
        """Return the reason in words if the value lies outside the range."""
        if value < self.low:
            return f"{self.words} is {value:.3g}, below {self.low:g}"
        if value > self.high:
            return f"{self.words} is {value:.3g}, above {self.high:g}"
        return None


def judge(numbers: dict[str, float], settings: QualitySettings) -> Verdict:
    """Hold the numbers of `measure` against the limits."""
    rejected = _broken(numbers, rejection_limits(settings))
    if rejected:
        return Verdict("rejected", rejected)
    flagged = _broken(numbers, flag_limits(settings))
    return Verdict("flagged" if flagged else "accepted", flagged)


def rejection_limits(settings: QualitySettings) -> list[Limit]:
    """Return the limits beyond which the registration has failed."""
    return [
        Limit("template_overlap", "overlap with the template", low=settings.reject_overlap),
        Limit(
            "template_correlation",
            "correlation with the template",
            low=settings.reject_correlation,
        ),
    ]


def flag_limits(settings: QualitySettings) -> list[Limit]:
    """Return the limits beyond which a person should look at the scan."""
    scales = [
        Limit(
            f"scale_{axis}", f"{axis} scale of the affine", settings.min_scale, settings.max_scale
        )
        for axis in "xyz"
    ]
    shears = [
        Limit(
            f"shear_{axes}", f"{axes} shear of the affine", -settings.max_shear, settings.max_shear
        )
        for axes in ("xy", "xz", "yz")
    ]
    return [
        Limit(
            "mask_volume_ml",
            "brain mask volume in ml",
            settings.min_mask_volume_ml,
            settings.max_mask_volume_ml,
        ),
        Limit("template_overlap", "overlap with the template", low=settings.min_overlap),
        Limit(
            "template_correlation", "correlation with the template", low=settings.min_correlation
        ),
        *scales,
        *shears,
        Limit("bias_range", "bias field range", high=settings.max_bias_range),
        Limit("contrast", "contrast of white to grey matter", low=settings.min_contrast),
        Limit(
            "cut_area_cm2",
            "brain surface cut off by the field of view in cm2",
            high=settings.max_cut_area_cm2,
        ),
    ]


def _broken(numbers: dict[str, float], limits: list[Limit]) -> list[str]:
    reasons = (limit.broken_by(numbers[limit.name]) for limit in limits)
    return [reason for reason in reasons if reason]


def quality_record(numbers: dict[str, float], verdict: Verdict) -> dict:
    """Return the content of ``_qc.json``."""
    rounded = {name: float(f"{value:.6g}") for name, value in numbers.items()}
    return {**asdict(verdict), "numbers": rounded}
