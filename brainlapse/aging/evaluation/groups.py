"""Errors of forecasts by data set, by diagnosis and by time ahead."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from brainlapse.aging.evaluation.bootstrap import over_subjects
from brainlapse.aging.evaluation.choice import method_order
from brainlapse.cohort.tables import SCAN

HORIZONS_YEARS = (0, 1, 2, 4, 8, np.inf)
GROUP_COLUMNS = [
    *("split", "by", "group", "region", "n_scans_seen", "method", "n", "n_subjects"),
    *("mean_abs_error_pct", "low_pct", "high_pct"),
]


def group_errors(errors: pd.DataFrame, index: pd.DataFrame) -> pd.DataFrame:
    """Mean error over subjects with its 95 % bootstrap interval: ``GROUP_COLUMNS``.

    Parameters
    ----------
    errors
        Errors of forecasts; validation subjects, who choose methods, do not count.
    index
        Scans with dataset, scan and, if present, diagnosis.
    """
    judged = errors[errors["split"] != "validation"]
    records = []
    for by, groups in _groupings(judged, index):
        keys = ["split", groups.rename("group"), "region", "n_scans_seen", "method"]
        for values, rows in judged.groupby(keys, sort=True):
            split, group, region, seen, method = values
            error = over_subjects(rows, "abs_error_pct")
            found = [len(rows), error.n_subjects, error.mean, error.low, error.high]
            row = [split, by, group, region, seen, method, *found]
            records.append(dict(zip(GROUP_COLUMNS, row, strict=True)))
    table = pd.DataFrame(records, columns=GROUP_COLUMNS)
    table["order"] = table["method"].map(method_order)
    return table.sort_values([*GROUP_COLUMNS[:5], "order"], ignore_index=True)[GROUP_COLUMNS]


def _groupings(judged: pd.DataFrame, index: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    """Yield names and groups of the rows; those with a single group say nothing new."""
    ends = pd.cut(judged["horizon_years"], HORIZONS_YEARS)
    names = {part: _span(part) for part in ends.cat.categories}
    found = {"horizon_years": ends.map(names).astype(object), "dataset": judged["dataset"]}
    if "diagnosis" in index:
        known = index.set_index(SCAN)["diagnosis"]
        scans = pd.MultiIndex.from_frame(judged[SCAN])
        found["diagnosis"] = pd.Series(known.reindex(scans).to_numpy(), index=judged.index)
    for by, groups in found.items():
        if len(groups.dropna().unique()) > 1:
            yield by, groups


def _span(years: pd.Interval) -> str:
    return f"{years.left:g}-{years.right:g}" if np.isfinite(years.right) else f">{years.left:g}"
