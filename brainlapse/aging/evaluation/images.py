"""Images of forecasts against the scans observed, beside a copy and what the autoencoder can show.

A copy of a real scan keeps the sharpness that decoding loses, so similarity alone favours it; the
correlation of changes asks whether a forecast changes the brain where it changed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from brainlapse.aging.evaluation.bootstrap import over_subjects
from brainlapse.aging.evaluation.choice import method_order
from brainlapse.aging.plan import DECODED
from brainlapse.cohort.tables import BRAIN, BRAIN_MASK, SCAN, scan_path
from brainlapse.images import load_volume
from brainlapse.latents import reconstructed_file
from brainlapse.training.encoding.metrics import reconstruction_metrics

COPY, RECONSTRUCTION = "copy_last", "reconstruction"
CHANGE = "change_correlation"
MEASURES = ("ssim", "psnr_db", "mae", CHANGE)
TARGET = [
    *("dataset", "subject", "scan", "split"),
    *("n_scans_seen", "n_scans_so_far", "horizon_years"),
]
IMAGE_ERROR_COLUMNS = [*TARGET, "method", *MEASURES]
IMAGE_SUMMARY_COLUMNS = [
    *("measure", "n_scans_seen", "method", "n", "n_subjects", "mean", "mean_low", "mean_high"),
    *("copy_difference", "copy_difference_low", "copy_difference_high"),
]


@dataclass(frozen=True)
class Seen:
    """A target beside the last scan seen, real and reconstructed.

    Attributes
    ----------
    target, last
        Brains (D, H, W), values 0 to 1.
    rebuilt_target, rebuilt_last
        What the autoencoder gives back of both.
    mask
        Brain mask of the target, bool.
    """

    target: np.ndarray
    last: np.ndarray
    rebuilt_target: np.ndarray
    rebuilt_last: np.ndarray
    mask: np.ndarray

    def compare(self, image: np.ndarray, start: np.ndarray) -> dict[str, float]:
        """Judge an image (D, H, W) that stands for the target, `start` for the last scan."""
        found = reconstruction_metrics(image, self.target, self.mask)
        change = correlation((image - start)[self.mask], (self.target - self.last)[self.mask])
        return {**{name: found[name] for name in MEASURES if name in found}, CHANGE: change}


def correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson's correlation of two vectors (n,); NaN where one does not vary."""
    if not np.ptp(first) or not np.ptp(second):
        return np.nan
    return float(np.corrcoef(first, second)[0, 1])


def judge_images(
    plan: pd.DataFrame, preprocessed: str | Path, rebuilt: str | Path, predicted: str | Path
) -> Iterator[list[dict]]:
    """Yield the rows of ``IMAGE_ERROR_COLUMNS`` of each target, last scan and number of scans.

    Parameters
    ----------
    plan
        Rows of the table of forecasts, ``file`` relative to the folder of forecasts.
    preprocessed, rebuilt, predicted
        Folders of the preprocessed scans, of reconstructions, and of forecasts.
    """
    for _, rows in plan.groupby(["dataset", "subject", "scan", "last_scan"], sort=True):
        forecasts = rows.to_dict("records")
        seen = _load(forecasts[0], preprocessed, rebuilt)
        fixed = {
            COPY: seen.compare(seen.last, seen.last),
            RECONSTRUCTION: seen.compare(seen.rebuilt_target, seen.rebuilt_last),
        }
        judged = []
        for _, same in rows.groupby(["n_scans_seen", "n_scans_so_far"]):
            target = {name: same.iloc[0][name] for name in TARGET}
            judged += [{**target, "method": name, **found} for name, found in fixed.items()]
        for row in forecasts:
            image = load_volume(Path(predicted, row["file"]))[0]
            start = seen.rebuilt_last if row["method"] in DECODED else seen.last
            target = {name: row[name] for name in TARGET}
            judged.append({**target, "method": row["method"], **seen.compare(image, start)})
        yield judged


def _load(row: dict, preprocessed: str | Path, rebuilt: str | Path) -> Seen:
    target, last = (
        scan_path(row["dataset"], row["subject"], row[name]) for name in ("session", "last_session")
    )
    paths = [
        f"{preprocessed}/{target}{BRAIN}",
        f"{preprocessed}/{last}{BRAIN}",
        f"{rebuilt}/{reconstructed_file(target)}",
        f"{rebuilt}/{reconstructed_file(last)}",
        f"{preprocessed}/{target}{BRAIN_MASK}",
    ]
    brain, copy, rebuilt_brain, rebuilt_copy, mask = (load_volume(path)[0] for path in paths)
    return Seen(brain, copy, rebuilt_brain, rebuilt_copy, mask > 0)


def summarise_images(errors: pd.DataFrame) -> pd.DataFrame:
    """Means over subjects with 95 % intervals, and the difference to the copy, paired.

    Parameters
    ----------
    errors
        ``IMAGE_ERROR_COLUMNS``; validation subjects, who choose methods, do not count.

    Returns
    -------
    pd.DataFrame
        ``IMAGE_SUMMARY_COLUMNS``; a change has no correlation with that of a copy, which is none.
    """
    judged = errors[errors["split"] != "validation"]
    judged = judged[judged["n_scans_seen"] == judged["n_scans_so_far"]]
    records = []
    for measure in MEASURES:
        known = judged.dropna(subset=[measure])
        for seen, rows in known.groupby("n_scans_seen", sort=True):
            copies = rows[rows["method"] == COPY]
            records += [
                {
                    "measure": measure,
                    "n_scans_seen": seen,
                    "method": method,
                    **_beside(rows[rows["method"] == method], copies, measure),
                }
                for method in sorted(set(rows["method"]), key=method_order)
            ]
    return pd.DataFrame(records, columns=IMAGE_SUMMARY_COLUMNS)


def _beside(rows: pd.DataFrame, copies: pd.DataFrame, measure: str) -> dict[str, float]:
    mean = over_subjects(rows, measure)
    found = {
        "n": len(rows),
        "n_subjects": mean.n_subjects,
        "mean": mean.mean,
        "mean_low": mean.low,
        "mean_high": mean.high,
    }
    both = rows.merge(copies[[*SCAN, measure]], on=SCAN, suffixes=("", "_copy"))
    if both.empty or (rows["method"] == COPY).any():
        return found
    both = both.assign(difference=both[measure] - both[f"{measure}_copy"])
    gap = over_subjects(both, "difference")
    return found | {
        "copy_difference": gap.mean,
        "copy_difference_low": gap.low,
        "copy_difference_high": gap.high,
    }
