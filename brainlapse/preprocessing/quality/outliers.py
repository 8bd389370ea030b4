"""Scans that stand apart from the other scans of their data set, by robust z-scores.

z = (value - median) / spread over a data set's scans that were not rejected. The spread, of each
side by itself, is the largest of three: the median absolute deviation scaled to the SD of a normal
distribution (Iglewicz and Hoaglin 1993); the distance to the outermost fifth of that side, scaled
likewise, so that a long tail is no crowd of outliers; and what the number varies by when one head
is scanned again, so that a data set of scans that are all alike is no yardstick finer than the
measurement. Up to a fifth of bad scans moves none of them. The order of the scans plays no part.

Test scans are compared as all others, but the yardstick is made without them: they decide nothing
about scans that train.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from brainlapse.preprocessing.quality.settings import QualitySettings

MAD_TO_SD = 1.4826
FIFTH_TO_SD = 1 / 0.8416  # a fifth of a normal distribution lies beyond 0.8416 SD


@dataclass(frozen=True)
class Comparison:
    """A number that is compared over a data set.

    Attributes
    ----------
    floor
        SD over repeated scans of one head, on the scale of `scale`; least yardstick.
    side
        Which end is suspicious: low, high or both.
    """

    name: str
    words: str
    floor: float
    side: str = "both"
    logarithmic: bool = False

    def scale(self, values: np.ndarray) -> np.ndarray:
        """Return the values on the scale on which they spread evenly."""
        return np.log(np.maximum(values, 1e-6)) if self.logarithmic else values


# Floors: 3 IXI heads and 3 of a clinic, turned by 3 degrees in their voxels and processed again
# (benchmarks/heads/outliers.py).
COMPARISONS = (
    Comparison("mask_volume_ml", "brain mask volume in ml", 7),
    Comparison("affine_determinant", "MNI over native volume", 0.003, logarithmic=True),
    Comparison("bias_range", "bias field range", 0.05, side="high", logarithmic=True),
    Comparison("template_overlap", "overlap with the template", 0.0015, side="low"),
    Comparison("template_correlation", "correlation with the template", 0.004, side="low"),
    Comparison("residual_mm", "shift left against the template in mm", 0.1, side="high"),
    Comparison("residual_degrees", "turn left against the template in degrees", 0.07, side="high"),
    Comparison("white_snr", "white-matter SNR", 1.2, side="low"),
    Comparison("contrast", "contrast of white to grey matter", 0.09, side="low"),
    Comparison("joint_variation", "joint variation (CJV)", 0.055, side="high", logarithmic=True),
    Comparison("shear_xy", "xy shear of the affine", 0.0015),
    Comparison("shear_xz", "xz shear of the affine", 0.0015),
    Comparison("shear_yz", "yz shear of the affine", 0.0025),
)


def robust_z(
    values: np.ndarray, yardstick: np.ndarray, floor: float = 0.0
) -> tuple[np.ndarray, float]:
    """Return robust z-scores (N,) and the median of the values that make the yardstick.

    Scores are 0 where these do not spread, so that constant numbers flag nobody, and NaN where a
    value is missing.
    """
    known = values[yardstick & np.isfinite(values)]
    if known.size == 0:
        return np.zeros_like(values), float("nan")
    low, median, high = np.quantile(known, [0.2, 0.5, 0.8])
    deviation = MAD_TO_SD * np.median(np.abs(known - median))
    if deviation == 0.0:
        return np.where(np.isfinite(values), 0.0, np.nan), float(median)
    tail = np.where(values < median, median - low, high - median) * FIFTH_TO_SD
    return (values - median) / np.maximum(np.maximum(deviation, tail), floor), float(median)


def compare_scans(table: pd.DataFrame, settings: QualitySettings) -> tuple[pd.Series, pd.Series]:
    """Compare every scan with the others of its data set.

    Parameters
    ----------
    table
        dataset, split, status and the quality numbers, a row per scan.
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
        yardstick = usable & (scans["split"] != "test").to_numpy()
        if yardstick.sum() < settings.outlier_min_scans:
            continue
        sizes = np.zeros(len(scans))
        for comparison in COMPARISONS:
            values = scans[comparison.name].to_numpy(float)
            z, sentences = _compare(comparison, values, yardstick)
            sizes = np.fmax(sizes, z)
            for row in np.flatnonzero(usable & (z > settings.outlier_z)):
                reasons[scans.index[row]].append(sentences[row])
        largest_z[scans.index[usable]] = sizes[usable]
    return reasons, largest_z


def _compare(
    comparison: Comparison, values: np.ndarray, yardstick: np.ndarray
) -> tuple[np.ndarray, list[str]]:
    """Return how suspicious each value is (N,), as a z-score above 0, and a sentence for each."""
    z, middle = robust_z(comparison.scale(values), yardstick, comparison.floor)
    median = float(np.exp(middle)) if comparison.logarithmic else middle
    sign = {"low": -1.0, "high": 1.0}.get(comparison.side)
    suspicious = np.nan_to_num(np.abs(z) if sign is None else np.maximum(sign * z, 0))
    sentences = [
        f"{comparison.words} {value:.3g} is far {'below' if score < 0 else 'above'} this "
        f"cohort's {median:.3g} (robust z {score:.1f})"
        for value, score in zip(values, z, strict=True)
    ]
    return suspicious, sentences
