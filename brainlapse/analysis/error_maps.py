"""Where, voxel by voxel, an autoencoder gives a scan back worse than it does those of others.

The regional table of `anomaly` is the safer one: a map has hundreds of thousands of voxels, of
which some lie high by chance.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter

from brainlapse.analysis.anomaly import FEWEST_PEOPLE, SMALLEST
from brainlapse.analysis.norms.curves import normal_score
from brainlapse.analysis.norms.people import middle_scans
from brainlapse.cohort.people.names import people_of
from brainlapse.cohort.tables import SCAN, SPLIT_SCAN, is_flagged
from brainlapse.images import load_volume, save_volume
from brainlapse.preprocessing.resampling import FWHM_PER_SIGMA

WIDTH_MM = 8.0  # full width at half maximum: folds of two people don't lie on each other
SMALLEST_ERROR = 1e-4  # of the smoothed error, in units of normalised intensity
HIGH = 3.0  # z-score
MOST_PEOPLE = 200  # of the norm: more change little
MAP_COLUMNS = [
    *(*SPLIT_SCAN, "norm_split", "people", "voxels", "share_above_3", "peak_z"),
    *("peak_x_mm", "peak_y_mm", "peak_z_mm", "file"),
]
PARTS = ("mean", "spread", "people")


@dataclass(frozen=True)
class ErrorNorm:
    """Smoothed log errors of the people of the norm, voxel by voxel.

    Attributes
    ----------
    mean, spread
        Float (X, Y, Z); their mean and standard deviation.
    people
        How many have a brain there, (X, Y, Z).
    """

    mean: np.ndarray
    spread: np.ndarray
    people: np.ndarray


def choose_reference(index: pd.DataFrame) -> pd.DataFrame:
    """Choose the scans that make the norm, one of each person, in a fixed order.

    Parameters
    ----------
    index
        Usable scans: dataset, subject, session, scan, split, age_years, flagged.

    Returns
    -------
    pandas.DataFrame
        The middle unflagged scan of people of the validation split, who taught the autoencoder
        nothing; with fewer than 10, of training people. At most 200, evenly over the list.
    """
    rows = index[~is_flagged(index)]
    rows = rows.assign(person=people_of(rows)).sort_values(["person", "age_years", *SCAN])
    by_split = {name: middle_scans(part) for name, part in rows.groupby("split")}
    chosen = by_split.get("validation", rows.iloc[:0])
    if len(chosen) < FEWEST_PEOPLE:
        chosen = by_split.get("train", rows.iloc[:0])
    if len(chosen) > MOST_PEOPLE:
        chosen = chosen.iloc[np.linspace(0, len(chosen) - 1, MOST_PEOPLE).astype(int)]
    return chosen


def choose_mapped(index: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Return the scans held out, but for all of people in the norm; none without a norm."""
    strangers = ~np.isin(people_of(index), people_of(reference))
    return index[(index["split"] != "train") & strangers & (len(reference) > 0)]


def smoothed_log_error(
    brain: np.ndarray, reconstruction: np.ndarray, inside: np.ndarray, voxel_mm: float
) -> np.ndarray:
    """Logarithm of the absolute error, smoothed over the brain alone.

    Parameters
    ----------
    brain, reconstruction
        Float (X, Y, Z), values 0 to 1.
    inside
        Brain mask, bool (X, Y, Z).

    Returns
    -------
    np.ndarray
        Float32 (X, Y, Z), NaN outside the mask.
    """
    sigma = WIDTH_MM / FWHM_PER_SIGMA / voxel_mm
    weight = gaussian_filter(inside.astype(np.float32), sigma)
    error = np.where(inside, np.abs(reconstruction - brain), 0).astype(np.float32)
    smooth = gaussian_filter(error, sigma) / np.where(inside, weight, 1)
    return np.where(inside, np.log(np.maximum(smooth, SMALLEST_ERROR)), np.nan)


def fit_norm(errors: Iterable[np.ndarray], shape: tuple[int, ...]) -> ErrorNorm:
    """Mean and spread of `smoothed_log_error` over people, read once (Welford, 1962)."""
    count = np.zeros(shape, dtype=np.int16)
    mean, squares = np.zeros((2, *shape))
    for error in errors:
        known = np.isfinite(error)
        count += known
        step = np.where(known, error - mean, 0)
        mean += step / np.maximum(count, 1)
        squares += np.where(known, step * (error - mean), 0)
    spread = np.sqrt(squares / np.maximum(count - 1, 1))
    return ErrorNorm(mean.astype(np.float32), spread.astype(np.float32), count)


def score_errors(error: np.ndarray, norm: ErrorNorm) -> np.ndarray:
    """Z-scores of somebody who is not of the norm: of a prediction, t distributed.

    Returns
    -------
    np.ndarray
        Float32 (X, Y, Z); 0 outside the mask and where fewer than 10 people have a brain.
    """
    known = np.isfinite(error) & (norm.people >= FEWEST_PEOPLE) & (norm.spread > SMALLEST)
    people = norm.people[known].astype(float)
    scale = norm.spread[known] * np.sqrt(1 + 1 / people)
    scores = np.zeros(error.shape, dtype=np.float32)
    scores[known] = normal_score((error[known] - norm.mean[known]) / scale, people - 1)
    return scores


def describe_map(scores: np.ndarray, affine: np.ndarray) -> dict[str, float]:
    """Share of the scored voxels above 3, the highest, and where it lies in MNI space [mm]."""
    scored = scores != 0
    if not scored.any():
        return {"voxels": 0}
    peak = np.unravel_index(scores.argmax(), scores.shape)
    place = affine[:3, :3] @ peak + affine[:3, 3]
    return {
        "voxels": int(scored.sum()),
        "share_above_3": round(float((scores[scored] > HIGH).mean()), 6),
        "peak_z": round(float(scores[peak]), 3),
        **{f"peak_{axis}_mm": round(float(at), 1) for axis, at in zip("xyz", place, strict=True)},
    }


def read_error(
    brain: str | Path, reconstruction: str | Path, mask: str | Path, voxel_mm: float
) -> np.ndarray:
    """`smoothed_log_error` of a scan, from its files."""
    image, decoded, inside = (load_volume(path)[0] for path in (brain, reconstruction, mask))
    return smoothed_log_error(image, decoded, inside > 0, voxel_mm)


def write_norm(folder: str | Path, norm: ErrorNorm, affine: np.ndarray) -> None:
    """Write the three volumes, each whole or not at all."""
    for name in PARTS:
        save_volume(Path(folder, f"{name}.nii.gz"), getattr(norm, name), affine)


def read_norm(folder: str | Path) -> ErrorNorm:
    """Read what `write_norm` wrote."""
    return ErrorNorm(*(load_volume(Path(folder, f"{name}.nii.gz"))[0] for name in PARTS))
