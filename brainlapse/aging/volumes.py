"""Forecasts of regional volumes from the volumes measured before: no network at all.

``copy_last`` and ``volume_linear`` work on mm3, ``volume_rate`` and ``volume_bayes`` on log
volumes. Those that learn from others learn from training subjects only, region by region; regions
measured in the same scans are elements of one fit.
"""

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from brainlapse.aging.evaluation.intervals import LEVELS
from brainlapse.aging.methods.interface import FitSettings, Forecaster
from brainlapse.aging.methods.named import LOG_VOLUME_METHODS, VOLUME_METHODS
from brainlapse.aging.people import Person, covariates_of
from brainlapse.aging.plan import BAYES_SUBJECTS, dated_scans
from brainlapse.aging.rates import Rates
from brainlapse.cohort.tables import PERSON, SCAN

FORECAST = [*PERSON, "seen_scans"]
FORECAST_COLUMNS = ["predicted_mm3", "log_spread", *sum(LEVELS.values(), ())]

log = logging.getLogger(__name__)


def forecast_volumes(
    frame: pd.DataFrame, real: pd.Series, index: pd.DataFrame, brought: Rates | None = None
) -> pd.DataFrame:
    """Forecast the rows of a frame with every method on volumes.

    Parameters
    ----------
    frame : pd.DataFrame
        Targets by region, with dataset, subject, seen_scans, target_age_years and region.
    real : pd.Series
        Volumes of real scans [mm3] by dataset, scan and region.
    index : pd.DataFrame
        All scans, with split, age_years and, if present, sex, diagnosis and flagged.
    brought : Rates
        Of another run, for regions of which too few training subjects tell the rates here.

    Returns
    -------
    pd.DataFrame
        The rows of the frame once per method that the cohort and the seen scans allow, with
        method and ``FORECAST_COLUMNS``: the volume, one standard deviation of its logarithm, and
        the ends of the intervals, missing for methods that tell none. Rows with a seen scan
        without volume are left out.
    """
    scans, brought = dated_scans(index), brought or Rates()
    measured = tabulate(real, scans, sorted(frame["region"].unique()))
    scans = scans.set_index(SCAN)
    parts = [frame.iloc[:0].assign(method="", **dict.fromkeys(FORECAST_COLUMNS, np.nan))]
    for regions in _alike(measured, brought):
        mm3 = measured[regions].dropna()
        known = scans.loc[mm3.index]
        learnt = known[known["split"] == "train"].groupby(PERSON, sort=True)
        fitted = _fit_methods([person_of(rows, mm3) for _, rows in learnt], regions, brought)
        wanted = frame[frame["region"].isin(regions)]
        for (dataset, _, names), targets in wanted.groupby(FORECAST, sort=False):
            seen = [(dataset, name) for name in str(names).split(",")]
            if set(seen) <= set(mm3.index):
                person = person_of(known.loc[seen], mm3)
                parts += _forecast_person(targets, person, regions, fitted)
    return pd.concat(parts, ignore_index=True)


def tabulate(real: pd.Series, scans: pd.DataFrame, regions: list[str]) -> pd.DataFrame:
    """Return volumes [mm3] by scan (rows) and region (columns); NaN where there is none.

    Parameters
    ----------
    real
        Volumes by dataset, scan and region.
    scans
        Their dataset and scan give the rows.
    """
    measured = real[real > 0].astype(float).unstack("region")  # noqa: PD010
    return measured.reindex(index=pd.MultiIndex.from_frame(scans[SCAN]), columns=regions)


def _alike(measured: pd.DataFrame, brought: Rates) -> list[list[str]]:
    """Group regions that have volumes in the same scans, and rates from elsewhere or not."""
    groups: dict[tuple[bytes, bool], list[str]] = {}
    for region, known in measured.notna().items():
        key = known.to_numpy().tobytes(), region in brought.regions
        groups.setdefault(key, []).append(str(region))
    return list(groups.values())


def person_of(scans: pd.DataFrame, volumes: pd.DataFrame) -> Person:
    """Make a person of one subject's scans, in order of age, with their volumes (k, regions)."""
    ages = scans["age_years"].to_numpy(dtype=float)
    return Person(ages, volumes.loc[scans.index].to_numpy(), covariates_of(scans))


def _fit_methods(
    training: list[Person], regions: list[str], brought: Rates
) -> dict[str, Forecaster]:
    """Fit what the training subjects allow; take what came along where they are too few."""
    fitted = {name: fit(training, FitSettings()) for name, fit in VOLUME_METHODS.items()}
    changing = sum(person.has_two_ages for person in training)
    if changing >= BAYES_SUBJECTS:
        logged = [_logged(person) for person in training]
        learnt = {name: fit(logged, FitSettings()) for name, fit in LOG_VOLUME_METHODS.items()}
    elif regions[0] in brought.regions:
        learnt = brought.of_regions(regions)
    else:
        learnt = {}
        log.info(
            "%s: volume_rate and volume_bayes need %d training subjects with volumes at two ages, "
            "found %d: left out",
            *(", ".join(regions), BAYES_SUBJECTS, changing),
        )
    return fitted | learnt


def _logged(person: Person) -> Person:
    return Person(person.ages_years, np.log(person.values), person.covariates)


def _forecast_person(
    targets: pd.DataFrame,
    person: Person,
    regions: Sequence[str],
    fitted: dict[str, Forecaster],
) -> list[pd.DataFrame]:
    """Forecast all regions of a person at all ages, and take the targets out."""
    ages, row = np.unique(targets["target_age_years"].to_numpy(dtype=float), return_inverse=True)
    column = pd.Index(regions).get_indexer(pd.Index(targets["region"]))
    parts = []
    for name, method in fitted.items():
        if name == "volume_linear" and not person.has_two_ages:
            continue
        found = _forecast(name, method, person, ages)
        parts.append(
            targets.assign(
                method=name, **{key: values[row, column] for key, values in found.items()}
            )
        )
    return parts


def _forecast(
    name: str, method: Forecaster, person: Person, ages_years: np.ndarray
) -> dict[str, np.ndarray]:
    """Return ``FORECAST_COLUMNS``, (m, regions) each."""
    unknown = np.full((len(ages_years), person.values.shape[1]), np.nan)
    found = dict.fromkeys(FORECAST_COLUMNS, unknown)
    if name in VOLUME_METHODS:
        return found | {"predicted_mm3": method.forecast(person, ages_years).centre}
    values = method.forecast(_logged(person), ages_years)
    found["predicted_mm3"] = np.exp(values.centre)
    if values.has_spread:
        inner = stats.norm.cdf(1)
        found["log_spread"] = (values.quantile(inner) - values.quantile(1 - inner)) / 2
        for level, ends in LEVELS.items():
            for end, probability in zip(ends, ((1 - level) / 2, (1 + level) / 2), strict=True):
                found[end] = np.exp(values.quantile(probability))
    return found
