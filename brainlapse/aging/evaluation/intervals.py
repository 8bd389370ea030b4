"""Intervals of forecast volumes, calibrated on validation subjects, and what they cover.

Split-conformal, by subject: an error counts in units of the method's own spread where it tells
one (Lei et al. 2018), and every validation subject weighs the same, however many forecasts it has
(Lee, Barber and Willett 2023). Where there are too few validation subjects for a level, a method
keeps its own interval, and one without spread gets none.
"""

import logging

import numpy as np
import pandas as pd
from scipy import stats

from brainlapse.aging.evaluation.bootstrap import number_people
from brainlapse.cohort.tables import PERSON

LEVELS = {0.8: ("low_80_mm3", "high_80_mm3"), 0.95: ("low_mm3", "high_mm3")}
GROUP = ["method", "n_scans_seen", "region"]
COVERAGE_COLUMNS = [
    *("split", *GROUP, "level", "interval", "n", "n_subjects"),
    *("coverage", "expected_low", "expected_high"),
]

log = logging.getLogger(__name__)


def add_intervals(errors: pd.DataFrame) -> pd.DataFrame:
    """Calibrate the ends of intervals, and say in ``interval`` what they are, 80 % / 95 %.

    Parameters
    ----------
    errors
        With predicted_mm3, observed_mm3, log_spread, the columns of ``LEVELS`` with the methods'
        own ends, and split; rows of validation subjects calibrate.

    Returns
    -------
    pd.DataFrame
        ``interval`` is calibrated, own or n/a; one word where both levels agree.
    """
    if errors.empty:
        return errors.assign(interval="")
    people = errors.assign(person=number_people(errors))
    parts = [_with_intervals(rows) for _, rows in people.groupby(GROUP, sort=False)]
    return pd.concat(parts).sort_index().drop(columns="person")


def _with_intervals(rows: pd.DataFrame) -> pd.DataFrame:
    person = rows["person"].to_numpy()
    unit = rows["log_spread"].fillna(1.0).to_numpy(dtype=float)
    centre = np.log(rows["predicted_mm3"].where(rows["predicted_mm3"] > 0).to_numpy(dtype=float))
    score = np.abs(np.log(rows["observed_mm3"].to_numpy(dtype=float)) - centre) / unit
    judges = ((rows["split"] == "validation") & np.isfinite(score)).to_numpy()
    has_spread = bool(rows["log_spread"].notna().all())
    found: dict[str, np.ndarray] = {}
    kinds = []
    for level, (low, high) in LEVELS.items():
        reach = conformal_quantile(score[judges], person[judges], level)
        if np.isfinite(reach):
            found[low], found[high] = np.exp(centre - reach * unit), np.exp(centre + reach * unit)
        kinds.append("calibrated" if np.isfinite(reach) else "own" if has_spread else "n/a")
    return rows.assign(**found, interval="/".join(dict.fromkeys(kinds)))


def conformal_quantile(scores: np.ndarray, people: np.ndarray, level: float) -> float:
    """Score that a new subject's stays below with a probability of `level`; inf for too few.

    Parameters
    ----------
    scores
        Of forecasts of validation subjects, (n,).
    people
        Whose forecast each is, (n,).
    level
        0-1.
    """
    _, person, counts = np.unique(people, return_inverse=True, return_counts=True)
    needed = level * (len(counts) + 1)
    if needed > len(counts) or not len(scores):
        return np.inf
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum(1 / counts[person[order]])
    return float(scores[order][np.searchsorted(reached, needed - 1e-9)])


def measure_coverage(errors: pd.DataFrame) -> pd.DataFrame:
    """Share of observed volumes inside the intervals: ``COVERAGE_COLUMNS``.

    Validation subjects, who calibrate, are not judged. Between ``expected_low`` and
    ``expected_high`` a right interval lies in 95 of 100 runs, by the binomial distribution of as
    many subjects.
    """
    judged = errors[errors["split"] != "validation"]
    records = []
    for keys, rows in judged.groupby(["split", *GROUP], sort=True):
        for level, (low, high) in LEVELS.items():
            known = rows[rows[low].notna()]
            if known.empty:
                continue
            inside = known["observed_mm3"].between(known[low], known[high])
            by_subject = inside.groupby([known[name] for name in PERSON]).mean()
            band = stats.binom.interval(0.95, len(by_subject), level)
            expected = [edge / len(by_subject) for edge in band]
            values = [level, known["interval"].iloc[0], len(known), len(by_subject)]
            values += [float(by_subject.mean()), *expected]
            records.append(dict(zip(COVERAGE_COLUMNS, [*keys, *values], strict=True)))
    return pd.DataFrame(records, columns=COVERAGE_COLUMNS)
