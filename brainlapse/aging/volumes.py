"""Forecasts of regional volumes from the volumes measured before: no network at all.

``copy_last`` and ``volume_linear`` work on mm3, ``volume_rate`` and ``volume_bayes`` on log
volumes. Those that learn from others learn from training subjects only, region by region.
"""

import logging

import numpy as np
import pandas as pd
from scipy import stats

from brainlapse.aging.evaluation.intervals import LEVELS
from brainlapse.aging.methods.interface import FitSettings, Forecaster
from brainlapse.aging.methods.named import LOG_VOLUME_METHODS, VOLUME_METHODS
from brainlapse.aging.people import Person, covariates_of
from brainlapse.aging.plan import BAYES_SUBJECTS, dated_scans

SUBJECT = ["dataset", "subject"]
FORECAST = [*SUBJECT, "seen_scans"]
FORECAST_COLUMNS = ["predicted_mm3", "log_spread", *sum(LEVELS.values(), ())]

log = logging.getLogger(__name__)


def forecast_volumes(frame: pd.DataFrame, real: pd.Series, index: pd.DataFrame) -> pd.DataFrame:
    """Forecast the rows of a frame with every method on volumes.

    Parameters
    ----------
    frame : pd.DataFrame
        Targets by region, with dataset, subject, seen_scans, target_age_years and region.
    real : pd.Series
        Volumes of real scans [mm3] by dataset, scan and region.
    index : pd.DataFrame
        All scans, with split, age_years and, if present, sex, diagnosis and flagged.

    Returns
    -------
    pd.DataFrame
        The rows of the frame once per method that the cohort and the seen scans allow, with
        method and ``FORECAST_COLUMNS``: the volume, one standard deviation of its logarithm, and
        the ends of the intervals, missing for methods that tell none. Rows with a seen scan
        without volume are left out.
    """
    scans = dated_scans(index)
    parts = [frame.iloc[:0].assign(method="", **dict.fromkeys(FORECAST_COLUMNS, np.nan))]
    for region, rows in frame.groupby("region", sort=True):
        measured = real.xs(region, level="region")
        keys = pd.MultiIndex.from_frame(scans[["dataset", "scan"]])
        known = scans.assign(volume_mm3=measured.reindex(keys).to_numpy(dtype=float))
        known = known[known["volume_mm3"] > 0]
        training = _people(known[known["split"] == "train"])
        fitted = _fit_methods(training, str(region))
        parts += _forecast_region(rows, known.set_index(["dataset", "scan"]), fitted)
    return pd.concat(parts, ignore_index=True)


def _people(known: pd.DataFrame) -> list[Person]:
    return [person_of(scans) for _, scans in known.groupby(SUBJECT, sort=True)]


def person_of(scans: pd.DataFrame) -> Person:
    """Make a person of the scans of one subject, in order of age, values in mm3 (k, 1)."""
    ages, mm3 = (scans[name].to_numpy(dtype=float) for name in ("age_years", "volume_mm3"))
    return Person(ages, mm3[:, None], covariates_of(scans))


def _fit_methods(training: list[Person], region: str) -> dict[str, Forecaster]:
    """Fit what the training subjects allow."""
    fitted = {name: fit(training, FitSettings()) for name, fit in VOLUME_METHODS.items()}
    changing = sum(person.has_two_ages for person in training)
    if changing < BAYES_SUBJECTS:
        log.info(
            "%s: volume_rate and volume_bayes need %d training subjects with volumes at two ages, "
            "found %d: left out",
            *(region, BAYES_SUBJECTS, changing),
        )
        return fitted
    logged = [_logged(person) for person in training]
    return fitted | {name: fit(logged, FitSettings()) for name, fit in LOG_VOLUME_METHODS.items()}


def _logged(person: Person) -> Person:
    return Person(person.ages_years, np.log(person.values), person.covariates)


def _forecast_region(
    rows: pd.DataFrame, known: pd.DataFrame, fitted: dict[str, Forecaster]
) -> list[pd.DataFrame]:
    parts = []
    for (dataset, _, seen_scans), targets in rows.groupby(FORECAST, sort=False):
        seen = [(dataset, scan) for scan in str(seen_scans).split(",")]
        if not set(seen) <= set(known.index):
            continue
        person = person_of(known.loc[seen].reset_index())
        ages = targets["target_age_years"].to_numpy(dtype=float)
        for name, method in fitted.items():
            if name == "volume_linear" and not person.has_two_ages:
                continue
            found = _forecast(name, method, person, ages)
            parts.append(targets.assign(method=name, **found))
    return parts


def _forecast(
    name: str, method: Forecaster, person: Person, ages_years: np.ndarray
) -> dict[str, np.ndarray]:
    """Return ``FORECAST_COLUMNS``, (m,) each."""
    found = dict.fromkeys(FORECAST_COLUMNS, np.full(len(ages_years), np.nan))
    if name in VOLUME_METHODS:
        return found | {"predicted_mm3": method.forecast(person, ages_years).centre[:, 0]}
    values = method.forecast(_logged(person), ages_years)
    found["predicted_mm3"] = np.exp(values.centre[:, 0])
    if values.has_spread:
        inner = stats.norm.cdf(1)
        found["log_spread"] = (values.quantile(inner) - values.quantile(1 - inner))[:, 0] / 2
        for level, ends in LEVELS.items():
            for end, probability in zip(ends, ((1 - level) / 2, (1 + level) / 2), strict=True):
                found[end] = np.exp(values.quantile(probability)[:, 0])
    return found
