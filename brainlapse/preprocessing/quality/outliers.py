"""Scans that stand apart from the other scans of their data set, by robust z-scores.

z = (value - median) / spread over a data set's scans that were not rejected, where the spread is
the median absolute deviation scaled to the SD of a normal distribution (Iglewicz and Hoaglin 1993):
a few bad scans move neither. The order of the scans plays no part.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from brainlapse.preprocessing.quality.settings import QualitySettings

MAD_TO_SD = 1.4826
SPREAD_FLOOR = 0.002  # of the median: scanners that agree better than this are no yardstick


@dataclass(frozen=True)
class Comparison:
    """A number that is compared over a data set; `side` says which end is suspicious."""

    name: str
    words: str
    side: str = "both"
    logarithmic: bool = False

    def scale(self, values: np.ndarray) -> np.ndarray:
        """Return the values on the scale on which they spread evenly."""
        return np.log(np.maximum(values, 1e-6)) if self.logarithmic else values


COMPARISONS = (
    Comparison("mask_volume_ml", "brain mask volume in ml"),
    Comparison("affine_determinant", "MNI over native volume", logarithmic=True),
    Comparison("bias_range", "bias field range", side="high", logarithmic=True),
    Comparison("template_overlap", "overlap with the template", side="low"),
    Comparison("template_correlation", "correlation with the template", side="low"),
    Comparison("residual_mm", "shift left against the template in mm", side="high"),
    Comparison("residual_degrees", "turn left against the template in degrees", side="high"),
    Comparison("white_snr", "white-matter SNR", side="low"),
    Comparison("contrast", "contrast of white to grey matter", side="low"),
    Comparison("joint_variation", "joint variation (CJV)", side="high", logarithmic=True),
    Comparison("shear_xy", "xy shear of the affine"),
    Comparison("shear_xz", "xz shear of the affine"),
    Comparison("shear_yz", "yz shear of the affine"),
)


def robust_z(values: np.ndarray, usable: np.ndarray) -> tuple[np.ndarray, float]:
    """Return robust z-scores (N,) and the median of the usable values.

    Scores are 0 where the usable values hardly spread, so that constant numbers flag nobody, and
    NaN where a value is missing.
    """
    known = values[usable & np.isfinite(values)]
    if known.size == 0:
        return np.zeros_like(values), float("nan")
    median = float(np.median(known))
    spread = MAD_TO_SD * float(np.median(np.abs(known - median)))
    if spread == 0.0:
        return np.where(np.isfinite(values), 0.0, np.nan), median
    return (values - median) / max(spread, SPREAD_FLOOR * abs(median)), median


def compare_scans(table: pd.DataFrame, settings: QualitySettings) -> tuple[pd.Series, pd.Series]:
    """Compare every scan with the others of its data set.

    Parameters
    ----------
    table
        dataset, status and the quality numbers, a row per scan.
    settings
        `outlier_z` and `outlier_min_scans`.

    Returns
    -------
    tuple
        Series on the table's index: reasons, a list of sentences per scan; and largest_z, the
        size of the most suspicious score, missing in data sets that are too small and for
        rejected scans.
    """
    reasons: pd.Series = pd.Series([[] for _ in range(len(table))], index=table.index, dtype=object)
    largest_z = pd.Series(np.nan, index=table.index, dtype=float)
    for _, scans in table.groupby("dataset", sort=False):
        usable = (scans["status"] != "rejected").to_numpy()
        if usable.sum() < settings.outlier_min_scans:
            continue
        sizes = np.zeros(len(scans))
        for comparison in COMPARISONS:
            z, sentences = _compare(comparison, scans[comparison.name].to_numpy(float), usable)
            sizes = np.fmax(sizes, z)
            for row in np.flatnonzero(usable & (z > settings.outlier_z)):
                reasons[scans.index[row]].append(sentences[row])
        largest_z[scans.index[usable]] = sizes[usable]
    return reasons, largest_z


def _compare(
    comparison: Comparison, values: np.ndarray, usable: np.ndarray
) -> tuple[np.ndarray, list[str]]:
    """Return how suspicious each value is (N,), as a z-score above 0, and a sentence for each."""
    z, middle = robust_z(comparison.scale(values), usable)
    median = float(np.exp(middle)) if comparison.logarithmic else middle
    sign = {"low": -1.0, "high": 1.0}.get(comparison.side)
    suspicious = np.nan_to_num(np.abs(z) if sign is None else np.maximum(sign * z, 0))
    sentences = [
        f"{comparison.words} {value:.3g} is far {'below' if score < 0 else 'above'} this "
        f"cohort's {median:.3g} (robust z {score:.1f})"
        for value, score in zip(values, z, strict=True)
    ]
    return suspicious, sentences
