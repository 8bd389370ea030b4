"""Labels of training people, which heads learn from; nobody else's leave this module."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from brainlapse.analysis.settings import TaskSettings
from brainlapse.analysis.tasks.folds import TaskImpossible, TaskScans, check_people, select_scans

LABEL_COLUMNS = [
    *("dataset", "subject", "session", "scan"),
    *("task", "task_kind", "label", "coded"),
]
FEWEST_PEOPLE = 2
"""In each class, or with a number: of fewer a head would learn who somebody is."""


def training_labels(
    index: pd.DataFrame, tasks: Sequence[TaskSettings]
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Labels of the training scans, a row per scan and task, and why some tasks have none.

    Parameters
    ----------
    index
        Scans with split, and the targets of the tasks.

    Returns
    -------
    tuple
        ``LABEL_COLUMNS``, and {task: reason}.
    """
    tables, reasons = [pd.DataFrame(columns=LABEL_COLUMNS)], {}
    for task in tasks:
        try:
            scans = training_scans(index, task)
        except TaskImpossible as reason:
            reasons[task.name] = str(reason)
            continue
        table = index.iloc[scans.rows].reindex(columns=LABEL_COLUMNS)
        named = np.array(scans.classes, dtype=object)[scans.true] if scans.classes else scans.true
        tables.append(
            table.assign(task=task.name, task_kind=task.kind, label=named, coded=scans.true)
        )
    filled = [table for table in tables if len(table)] or tables
    return pd.concat(filled, ignore_index=True), reasons


def training_scans(index: pd.DataFrame, task: TaskSettings) -> TaskScans:
    """Unflagged training scans with a known target; classes that none of them has don't count.

    Raises
    ------
    TaskImpossible
        If the column is missing, or people are too few.
    """
    chosen = index["split"] == "train"
    if task.train_datasets is not None:
        chosen &= index["dataset"].isin(task.train_datasets)
    rows = np.flatnonzero(chosen.to_numpy())
    scans = select_scans(index.iloc[rows], task)
    scans = _without_empty_classes(replace(scans, rows=rows[scans.rows]))
    check_people(scans, task.target, FEWEST_PEOPLE)
    return scans


def _without_empty_classes(scans: TaskScans) -> TaskScans:
    if not scans.classes:
        return scans
    present, true = np.unique(scans.true, return_inverse=True)
    if len(present) < FEWEST_PEOPLE:
        message = "training people have fewer than two classes"
        raise TaskImpossible(message)
    return replace(scans, true=true, classes=[scans.classes[k] for k in present])
