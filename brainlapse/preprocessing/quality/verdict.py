"""Judge one scan by its quality numbers: accepted, flagged or rejected, with reasons in words."""

from dataclasses import dataclass

import numpy as np

from brainlapse.preprocessing.quality.settings import QualitySettings


@dataclass(frozen=True)
class Verdict:
    """Outcome of the quality check; `status` is accepted, flagged or rejected."""

    status: str
    reasons: list[str]


@dataclass(frozen=True)
class Limit:
    """The plausible range of one number; `low` and `high` may be infinite.

    Attributes
    ----------
    words
        What the number is.
    hint
        What may be wrong with a scan outside the range.
    """

    name: str
    words: str
    hint: str
    low: float = -np.inf
    high: float = np.inf

    def broken_by(self, value: float | None) -> str | None:
        """Return the reason in words if the value lies outside the range; None breaks nothing."""
        if value is None:
            return None
        if value < self.low:
            return f"{self.words} is {value:.3g}, below {self.low:g}: {self.hint}"
        if value > self.high:
            return f"{self.words} is {value:.3g}, above {self.high:g}: {self.hint}"
        return None


def judge(numbers: dict[str, float | None], settings: QualitySettings) -> Verdict:
    """Hold the numbers of `measure` against the limits."""
    rejected = _broken(numbers, rejection_limits(settings))
    flagged = _broken(numbers, flag_limits(settings))
    if rejected:
        failed = {limit.name for limit in rejection_limits(settings)}
        beside = _broken(numbers, [x for x in flag_limits(settings) if x.name not in failed])
        return Verdict("rejected", rejected + beside)
    return Verdict("flagged" if flagged else "accepted", flagged)


def rejection_limits(settings: QualitySettings) -> list[Limit]:
    """Return the limits beyond which the registration has failed."""
    return [
        Limit(
            "template_overlap",
            "overlap with the template",
            "the brain does not lie where the template's does",
            low=settings.reject_overlap,
        ),
        Limit(
            "template_correlation",
            "correlation with the template",
            "no T1-weighted brain in the template's pose",
            low=settings.reject_correlation,
        ),
    ]


def flag_limits(settings: QualitySettings) -> list[Limit]:
    """Return the limits beyond which a person should look at the scan."""
    return [
        *_brain_limits(settings),
        *_registration_limits(settings),
        Limit(
            "bias_range",
            "bias field range",
            "intensities change too much across the brain",
            high=settings.max_bias_range,
        ),
        Limit(
            "contrast",
            "contrast of white to grey matter",
            "noise, or no T1-weighted scan",
            low=settings.min_contrast,
        ),
    ]


def _brain_limits(settings: QualitySettings) -> list[Limit]:
    return [
        Limit(
            "mask_score",
            "score of the brain mask",
            "none of the ways to a mask gave a convincing one",
            low=settings.min_mask_score,
        ),
        Limit(
            "mask_volume_ml",
            "brain mask volume in ml",
            "the mask or the voxel size in the header may be wrong",
            settings.min_mask_volume_ml,
            settings.max_mask_volume_ml,
        ),
        Limit(
            "cut_area_cm2",
            "brain surface cut off by the field of view in cm2",
            "part of the brain is missing",
            high=settings.max_cut_area_cm2,
        ),
        Limit(
            "dark_slices",
            "number of slices without signal inside the brain",
            "they are empty",
            high=settings.max_dark_slices,
        ),
    ]


def _registration_limits(settings: QualitySettings) -> list[Limit]:
    hint = "the registration may be wrong"
    low, high, shear = settings.min_scale, settings.max_scale, settings.max_shear
    scales = [Limit(f"scale_{a}", f"{a} scale of the affine", hint, low, high) for a in "xyz"]
    shears = [
        Limit(f"shear_{axes}", f"{axes} shear of the affine", hint, -shear, shear)
        for axes in ("xy", "xz", "yz")
    ]
    overlap, correlation = rejection_limits(settings)
    return [
        Limit(overlap.name, overlap.words, hint, low=settings.min_overlap),
        Limit(correlation.name, correlation.words, hint, low=settings.min_correlation),
        Limit(
            "residual_degrees",
            "turn by which the brain would still fit the template better, in degrees,",
            hint,
            high=settings.max_residual_degrees,
        ),
        Limit(
            "residual_mm",
            "shift by which the brain would still fit the template better, in mm,",
            hint,
            high=settings.max_residual_mm,
        ),
        Limit(
            "rotation_degrees",
            "turn of the head against the axes in its header, in degrees,",
            "the header may name the axes wrongly, and then left and right too",
            high=settings.max_rotation_degrees,
        ),
        *scales,
        *shears,
    ]


def _broken(numbers: dict[str, float | None], limits: list[Limit]) -> list[str]:
    reasons = (limit.broken_by(numbers[limit.name]) for limit in limits)
    return [reason for reason in reasons if reason]
