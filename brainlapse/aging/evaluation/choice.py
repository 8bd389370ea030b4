"""Which method is the default: chosen on validation subjects; and every method beside the others.

A method of the network's is chosen only if it beats the best one on volumes, which needs no
network, on validation subjects, and the interval of the paired difference excludes zero.
"""

import numpy as np
import pandas as pd

from brainlapse.aging.evaluation.bootstrap import (
    MIN_SUBJECTS,
    number_people,
    over_people,
    over_subjects,
)

ON_VOLUMES = ("copy_last", "volume_linear", "volume_rate", "volume_bayes")
FALLBACK = ("volume_bayes", "copy_last")
COMPETITORS = ("copy_last", "volume_rate", "volume_bayes")
TARGET = ["dataset", "subject", "scan", "n_scans_seen", "region"]
CHOICE_COLUMNS = ["region", "n_scans_seen", "method", "n_subjects", "mean_abs_error_pct", "reason"]
COMPARISON_COLUMNS = [
    *("split", "region", "n_scans_seen", "method", "than", "n", "n_subjects"),
    *("mean_abs_error_pct", "than_error_pct", "difference_pct", "low_pct", "high_pct"),
]


def method_order(method: str) -> tuple[int, str]:
    """Sort key: methods on volumes first, the network's floor last."""
    if method in ON_VOLUMES:
        return ON_VOLUMES.index(method), method
    return len(ON_VOLUMES) + (method == "reconstruction"), method


def choose_methods(errors: pd.DataFrame) -> pd.DataFrame:
    """Choose a method for each region and number of scans seen: ``CHOICE_COLUMNS``.

    Parameters
    ----------
    errors
        With split; only rows of validation subjects are looked at.
    """
    candidates = errors[errors["method"] != "reconstruction"]
    validation = candidates[candidates["split"] == "validation"]
    records = []
    for keys, _ in candidates.groupby(["region", "n_scans_seen"], sort=True):
        mine = (validation["region"] == keys[0]) & (validation["n_scans_seen"] == keys[1])
        names = set(candidates.loc[candidates["region"] == keys[0], "method"])
        chosen = _choose(validation[mine], names)
        records.append(dict(zip(CHOICE_COLUMNS, [*keys, *chosen], strict=True)))
    return pd.DataFrame(records, columns=CHOICE_COLUMNS)


def _choose(rows: pd.DataFrame, names: set[str]) -> tuple[str, int, float, str]:
    n_subjects = len(rows[["dataset", "subject"]].drop_duplicates())
    if n_subjects < MIN_SUBJECTS:
        method = next(name for name in FALLBACK if name in names or name == FALLBACK[-1])
        reason = f"{n_subjects} validation subjects, {MIN_SUBJECTS} are needed to choose"
        return method, n_subjects, np.nan, reason
    found = {str(m): over_subjects(mine, "abs_error_pct") for m, mine in rows.groupby("method")}
    ranked = sorted(found, key=lambda name: (found[name].mean, method_order(name)))
    simple = next((name for name in ranked if name in ON_VOLUMES), None)
    best, reason = ranked[0], "least mean error of validation subjects"
    if simple is not None and best != simple:
        both = _side_by_side(rows)[[best, simple]].dropna()
        gap = over_people(_people(both), (both[best] - both[simple]).to_numpy(dtype=float))
        if not gap.high < 0:
            reason = f"{best} is not told apart from it on validation subjects, and needs images"
            best = simple
    return best, n_subjects, found[best].mean, reason


def compare_methods(errors: pd.DataFrame) -> pd.DataFrame:
    """Every method against those without a network, paired: ``COMPARISON_COLUMNS``."""
    records = []
    judged = errors[errors["split"] != "validation"]
    for keys, rows in judged.groupby(["split", "region", "n_scans_seen"], sort=True):
        wide = _side_by_side(rows)
        names = sorted(wide.columns, key=method_order)
        records += [
            _comparison(keys, wide[[method, than]].dropna(), method, than)
            for method in names
            for than in COMPETITORS
            if than in names and method not in (than, "reconstruction")
        ]
    return pd.DataFrame([r for r in records if r], columns=COMPARISON_COLUMNS)


def _comparison(keys: tuple, both: pd.DataFrame, method: str, than: str) -> dict | None:
    """Put the errors of two methods (columns) on the same targets (rows) beside each other."""
    if both.empty:
        return None
    person = _people(both)
    mine, theirs = both[method].to_numpy(dtype=float), both[than].to_numpy(dtype=float)
    error, other, gap = (over_people(person, part) for part in (mine, theirs, mine - theirs))
    values = [*keys, method, than, len(both), error.n_subjects, error.mean, other.mean]
    return dict(zip(COMPARISON_COLUMNS, [*values, gap.mean, gap.low, gap.high], strict=True))


def _side_by_side(rows: pd.DataFrame) -> pd.DataFrame:
    """Errors on the same targets (rows), a column per method."""
    return rows.set_index([*TARGET, "method"])["abs_error_pct"].unstack()  # noqa: PD010


def _people(table: pd.DataFrame) -> np.ndarray:
    """Return the number of each target's person, (rows,)."""
    return number_people(table.index.to_frame())
