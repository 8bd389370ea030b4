"""What else may tell a target: the covariates of a task."""

import logging

import pandas as pd

from brainlapse.analysis.settings import HEAD_SIZE, TaskSettings
from brainlapse.analysis.tasks.folds import TaskScans
from brainlapse.cohort.columns import find_named
from brainlapse.cohort.tables import SCAN

log = logging.getLogger("brainlapse")


def add_head_size(index: pd.DataFrame, quality: pd.DataFrame) -> pd.DataFrame:
    """Add `HEAD_SIZE` to the table of scans, in its order; one of the user's own stays.

    Parameters
    ----------
    quality
        ``preprocess/qc.tsv``: dataset, scan and `HEAD_SIZE`, a row per scan.
    """
    if (own := find_named(HEAD_SIZE, index.columns)) is not None:
        log.info("the size of the head is the column %s of your tables, not that of qc.tsv", own)
        return index
    measured = quality[[*SCAN, HEAD_SIZE]].astype({HEAD_SIZE: float})
    return index.merge(measured, on=SCAN, how="left", validate="one_to_one")


def tabulate_covariates(
    index: pd.DataFrame, task: TaskSettings, scans: TaskScans
) -> tuple[pd.DataFrame, str]:
    """Covariates of the task's scans, and a note on missing ones, for which all are left out."""
    columns = {name: find_named(name, index.columns) for name in task.covariates}
    mine = index.iloc[scans.rows].reset_index(drop=True)
    missing = [
        name for name, column in columns.items() if column is None or mine[column].isna().all()
    ]
    table = mine[[] if missing else list(columns.values())].copy()
    for name in table:
        if not pd.api.types.is_numeric_dtype(table[name]):
            table[name] = table[name].astype(object).where(table[name].notna(), "n/a").astype(str)
    note = f"confounds baseline left out: these scans have no {', '.join(missing)}"
    return table, note if missing else ""
