"""Regional volumes of forecasts against those observed, beside their baselines.

Volumes are those in MNI space. A forecast is compared with the observed scan, and so carries the
autoencoder's own bias; ``reconstruction`` shows that bias alone, and the ``_anchored`` methods
take it out: last observed volume x forecast volume / reconstructed volume of the last scan.
"""

import logging

import numpy as np
import pandas as pd

from brainlapse.aging.evaluation.bootstrap import number_people
from brainlapse.aging.evaluation.choice import method_order
from brainlapse.aging.evaluation.intervals import add_intervals
from brainlapse.aging.plan import DECODED
from brainlapse.aging.rates import Rates
from brainlapse.aging.volumes import FORECAST_COLUMNS, forecast_volumes
from brainlapse.cohort.tables import SCAN

ERROR_COLUMNS = [
    *("dataset", "subject", "scan", "split", "method", "n_scans_seen", "n_scans_so_far"),
    *("horizon_years", "region"),
    *("predicted_mm3", "observed_mm3", "reconstructed_mm3", "abs_error_pct"),
    *("last_observed_mm3", "predicted_change_pct", "observed_change_pct", "head_mm3"),
    *("low_80_mm3", "high_80_mm3", "low_mm3", "high_mm3", "interval"),
]
SUMMARY_COLUMNS = [
    *("method", "n_scans_seen", "region", "n", "n_subjects", "median_abs_error_pct"),
    *("mean_abs_error_pct", "mean_abs_error_head_pct", "error_of_change_pct"),
    *("mean_abs_change_error_pct", "change_correlation", "change_slope"),
    *("calibration_slope", "identity_ratio"),
]
TARGET = ["dataset", "subject", "scan", "split", "n_scans_seen", "n_scans_so_far"]
TIMES = ["seen_scans", "last_scan", "last_age_years", "target_age_years", "horizon_years"]

log = logging.getLogger(__name__)


def score_forecasts(
    predictions: pd.DataFrame,
    volumes: pd.DataFrame,
    index: pd.DataFrame,
    model: str,
    brought: Rates | None = None,
) -> pd.DataFrame:
    """Errors of every forecast, anchored forecast and baseline, region by region.

    Parameters
    ----------
    predictions : pd.DataFrame
        Table of forecasts (``FORECAST_COLUMNS`` of the plan).
    volumes : pd.DataFrame
        volumes.tsv: volumes of real, reconstructed and predicted scans [mm3].
    index : pd.DataFrame
        Of all scans: dataset, subject, scan, split, age_years and, if present, sex, diagnosis.
    model : str
        Name of the autoencoder; volumes of others are not looked at.
    brought : Rates
        That came along with the model.

    Returns
    -------
    pd.DataFrame
        ``ERROR_COLUMNS``, methods on volumes first; rows without a predicted or an observed
        volume are left out, and their number logged.
    """
    if predictions.empty:
        return pd.DataFrame(columns=ERROR_COLUMNS)
    real = _scan_volumes(volumes, "real")
    reconstructed = _scan_volumes(volumes, "reconstructed", model)
    targets = predictions.drop_duplicates(TARGET)[TARGET + TIMES]
    frame = _observations(targets, real, reconstructed, volumes)
    forecasts = _forecasts(frame, predictions, volumes, model)
    parts = [
        frame.assign(method="reconstruction", predicted_mm3=frame["reconstructed_mm3"]),
        forecast_volumes(frame, real, index, brought),
        forecasts,
        _anchored(forecasts[forecasts["method"].isin(DECODED)]),
    ]
    table = pd.concat([part for part in parts if len(part)], ignore_index=True)
    return _with_errors(table.reindex(columns=[*table, *set(FORECAST_COLUMNS) - set(table)]))


def summarise_errors(errors: pd.DataFrame) -> pd.DataFrame:
    """Errors by method, number of scans seen and region: ``SUMMARY_COLUMNS``.

    Validation subjects, who choose methods and calibrate intervals, do not count.
    ``mean_abs_error_head_pct`` is in % of the head's size, ``error_of_change_pct`` the mean error
    in % of the mean true change: 100 for the copy. ``change_correlation`` is Pearson's, of
    predicted with observed change over targets; missing for fewer than 3 targets or constant
    predictions, such as the copy's. ``change_slope`` is the least squares slope of predicted on
    observed change: 0 for the copy, 1 if all change is forecast, in between for a forecast that
    can't know what is a person's own. ``calibration_slope`` is that of observed on predicted
    change: 1 where a forecast promises what comes, below where too much. ``identity_ratio`` is
    the standard deviation over subjects of the mean logarithm of forecast volumes, over that of
    observed ones: below 1 where forecasts make people alike; missing for fewer than 3 subjects.
    """
    records = []
    judged = errors[errors["split"] != "validation"]
    judged = judged.assign(rank=judged["method"].map(method_order), person=number_people(judged))
    for keys, rows in judged.groupby(["rank", "n_scans_seen", "region"], sort=True):
        change_error = rows["predicted_change_pct"] - rows["observed_change_pct"]
        error_mm3 = (rows["predicted_mm3"] - rows["observed_mm3"]).abs()
        records.append(
            {
                "method": rows["method"].iloc[0],
                "n_scans_seen": keys[1],
                "region": keys[2],
                "n": len(rows),
                "n_subjects": len(np.unique(rows["person"])),
                "median_abs_error_pct": rows["abs_error_pct"].median(),
                "mean_abs_error_pct": rows["abs_error_pct"].mean(),
                "mean_abs_error_head_pct": (100 * error_mm3 / rows["head_mm3"]).mean(),
                "error_of_change_pct": error_of_change(rows),
                "mean_abs_change_error_pct": change_error.abs().mean(),
                "change_correlation": _correlation(rows),
                "change_slope": _slope(rows, "observed_change_pct", "predicted_change_pct"),
                "calibration_slope": _slope(rows, "predicted_change_pct", "observed_change_pct"),
                "identity_ratio": _identity(rows),
            }
        )
    return pd.DataFrame(records, columns=SUMMARY_COLUMNS)


def error_of_change(rows: pd.DataFrame) -> float:
    """Mean error of forecast volumes in % of their mean true change; NaN where none changes."""
    rows = rows[rows["last_observed_mm3"].notna()]
    change_mm3 = (rows["observed_mm3"] - rows["last_observed_mm3"]).abs().mean()
    error_mm3 = (rows["predicted_mm3"] - rows["observed_mm3"]).abs().mean()
    return float(100 * error_mm3 / change_mm3) if change_mm3 > 0 else np.nan


def _identity(rows: pd.DataFrame) -> float:
    known = rows[(rows[["predicted_mm3", "observed_mm3"]] > 0).all(axis="columns")]
    _, person = np.unique(known["person"], return_inverse=True)
    if len(known) == 0 or person.max() < 2:
        return np.nan
    forecast, observed = (
        np.bincount(person, np.log(known[name])) / np.bincount(person)
        for name in ("predicted_mm3", "observed_mm3")
    )
    return float(forecast.std() / observed.std()) if observed.std() > 0 else np.nan


def _scan_volumes(volumes: pd.DataFrame, kind: str, model: str | None = None) -> pd.Series:
    """Volumes [mm3] of one kind, by dataset, scan and region."""
    chosen = volumes["kind"] == kind
    if model is not None:
        chosen &= volumes["model"] == model
    return volumes[chosen].set_index(["dataset", "scan", "region"])["volume_mm3"]


def _heads(volumes: pd.DataFrame) -> pd.Series:
    """Volume [mm3] of the brain mask of real scans in MNI space, by dataset and scan."""
    real = volumes[volumes["kind"] == "real"].set_index(SCAN)
    share = real["intracranial_share"].astype(float)
    heads = real["volume_mm3"].astype(float) / share.where(share > 0)
    return heads.groupby(level=SCAN).median()


def _look_up(table: pd.Series, frame: pd.DataFrame, scan_column: str) -> np.ndarray:
    keys = pd.MultiIndex.from_frame(frame[["dataset", scan_column, "region"]])
    return table.reindex(keys).to_numpy(dtype=float)


def _observations(
    targets: pd.DataFrame, real: pd.Series, reconstructed: pd.Series, volumes: pd.DataFrame
) -> pd.DataFrame:
    """Each target and region with what was observed then, and at the last scan seen."""
    regions = pd.DataFrame({"region": volumes["region"].unique()})
    frame = targets.merge(regions, how="cross")
    scans = pd.MultiIndex.from_frame(frame[["dataset", "last_scan"]])
    return frame.assign(
        head_mm3=_heads(volumes).reindex(scans).to_numpy(dtype=float),
        observed_mm3=_look_up(real, frame, "scan"),
        reconstructed_mm3=_look_up(reconstructed, frame, "scan"),
        last_observed_mm3=_look_up(real, frame, "last_scan"),
        last_reconstructed_mm3=_look_up(reconstructed, frame, "last_scan"),
    )


def _forecasts(
    frame: pd.DataFrame, predictions: pd.DataFrame, volumes: pd.DataFrame, model: str
) -> pd.DataFrame:
    """Volumes segmented in decoded forecasts, as they are."""
    numbers = ["n_scans_seen", "n_scans_so_far"]
    keys = ["dataset", "scan", "method", *numbers, "region"]
    chosen = volumes[(volumes["kind"] == "predicted") & (volumes["model"] == model)]
    chosen = chosen.assign(**{name: pd.to_numeric(chosen[name]).astype(int) for name in numbers})
    segmented = chosen[[*keys, "volume_mm3"]].rename(columns={"volume_mm3": "predicted_mm3"})
    rows = frame.merge(predictions[[*TARGET, "method"]], on=TARGET)
    return rows.merge(segmented, on=keys, how="left")


def _anchored(forecasts: pd.DataFrame) -> pd.DataFrame:
    """Forecasts as the last observed volume times the change between decoded images."""
    ratio = forecasts["predicted_mm3"] / _non_zero(forecasts["last_reconstructed_mm3"])
    return forecasts.assign(
        method=forecasts["method"] + "_anchored",
        predicted_mm3=forecasts["last_observed_mm3"] * ratio,
    )


def _with_errors(frame: pd.DataFrame) -> pd.DataFrame:
    known = frame["predicted_mm3"].notna() & _non_zero(frame["observed_mm3"]).notna()
    if not known.all():
        log.info("%d of %d rows have no volume and are left out", (~known).sum(), len(frame))
    frame = frame[known]
    predicted, observed = frame["predicted_mm3"], frame["observed_mm3"]
    last = _non_zero(frame["last_observed_mm3"])
    frame = frame.assign(
        abs_error_pct=100 * (predicted - observed).abs() / observed,
        predicted_change_pct=100 * (predicted - last) / last,
        observed_change_pct=100 * (observed - last) / last,
    )
    order = ["dataset", "subject", "n_scans_so_far", "n_scans_seen", "scan", "region", "rank"]
    frame = frame.assign(rank=frame["method"].map(method_order))
    return add_intervals(frame.sort_values(order, ignore_index=True))[ERROR_COLUMNS]


def _non_zero(volumes_mm3: pd.Series) -> pd.Series:
    return volumes_mm3.where(volumes_mm3 > 0)


def _correlation(rows: pd.DataFrame) -> float:
    change = rows[["predicted_change_pct", "observed_change_pct"]].dropna()
    if len(change) < 3 or (np.ptp(change.to_numpy(), axis=0) < 1e-9).any():
        return np.nan
    return float(np.corrcoef(change.to_numpy().T)[0, 1])


def _slope(rows: pd.DataFrame, given: str, found: str) -> float:
    """Least squares slope of what was found on what was given."""
    change = rows[[given, found]].dropna()
    if len(change) < 3 or np.ptp(change[given]) < 1e-9:
        return np.nan
    return float(np.polyfit(change[given], change[found], 1)[0])
