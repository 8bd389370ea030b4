"""Which scans a task uses, and folds that keep every subject whole."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from brainlapse.analysis.settings import TaskSettings
from brainlapse.cohort.columns import find_named
from brainlapse.cohort.people.names import class_name, people_of
from brainlapse.cohort.tables import is_flagged


class TaskImpossible(Exception):
    """The cohort does not allow the task; the message is the note of its tables."""


@dataclass(frozen=True)
class TaskScans:
    """Scans of one task.

    Attributes
    ----------
    rows : np.ndarray
        int (N,), positions in the index table.
    true : np.ndarray
        Class numbers, int (N,), or numbers, float (N,), of a regression.
    classes : list[str]
        Names of the classes; empty for a regression.
    groups : np.ndarray
        Keys of the people (N,), "people/subject".
    """

    rows: np.ndarray
    true: np.ndarray
    classes: list[str]
    groups: np.ndarray

    def subset(self, positions: np.ndarray) -> "TaskScans":
        """Return the scans at these positions, of the same classes."""
        parts = (self.rows[positions], self.true[positions], self.classes, self.groups[positions])
        return TaskScans(*parts)


def select_scans(index: pd.DataFrame, task: TaskSettings) -> TaskScans:
    """Unflagged scans with a known target, of the datasets and classes asked for.

    Raises
    ------
    TaskImpossible
        If the column is missing, or a class is alone.
    """
    column = find_named(task.target, index.columns)
    if column is None:
        message = f"the cohort has no column {task.target!r}"
        raise TaskImpossible(message)
    usable = ~is_flagged(index).to_numpy()
    if task.datasets is not None:
        usable &= index["dataset"].isin(task.datasets).to_numpy()
    groups = people_of(index)
    if task.kind == "regression":
        return _select_numbers(index[column], usable, groups)
    return _select_classes(index[column], usable, groups, task)


def _select_numbers(target: pd.Series, usable: np.ndarray, groups: np.ndarray) -> TaskScans:
    numbers = pd.to_numeric(target, errors="coerce").to_numpy(dtype=float)
    rows = np.flatnonzero(usable & np.isfinite(numbers))
    if len(rows) and np.ptp(numbers[rows]) == 0:
        message = f"every scan has the same {target.name!r}"
        raise TaskImpossible(message)
    return TaskScans(rows, numbers[rows], [], groups[rows])


def _select_classes(
    target: pd.Series, usable: np.ndarray, groups: np.ndarray, task: TaskSettings
) -> TaskScans:
    labels = target.map(class_name)
    known = usable & labels.notna().to_numpy()
    classes = sorted(task.classes or labels[known].unique())
    if task.positive is not None:  # the score of two classes is that of the last
        classes = [name for name in classes if name != task.positive] + [task.positive]
    rows = np.flatnonzero(known & labels.isin(classes).to_numpy())
    if len(classes) < 2:
        message = f"{target.name!r} has fewer than two classes: {', '.join(classes) or 'none'}"
        raise TaskImpossible(message)
    number_of = {name: number for number, name in enumerate(classes)}
    true = labels.iloc[rows].map(number_of).to_numpy(dtype=int)
    return TaskScans(rows, true, classes, groups[rows])


def check_people(scans: TaskScans, target: str, least: int) -> None:
    """Raise `TaskImpossible` where fewer than `least` people have a target, or a class of it."""
    if not scans.classes and (count := len(np.unique(scans.groups))) < least:
        message = f"{count} subjects have a number in {target!r}, at least {least} are needed"
        raise TaskImpossible(message)
    for name, count in subjects_per_class(scans.true, scans.groups, scans.classes).items():
        if count < least:
            message = (
                f"class {name!r} of {target!r} has {count} subjects, at least {least} are needed"
            )
            raise TaskImpossible(message)


def subjects_per_class(true: np.ndarray, groups: np.ndarray, classes: list[str]) -> dict[str, int]:
    """Count the subjects with a scan in each class."""
    return {name: len(np.unique(groups[true == k])) for k, name in enumerate(classes)}


def subject_folds(scans: TaskScans, folds: int, seed: int) -> np.ndarray:
    """Fold number of each scan, int (N,); all scans of a subject share one.

    Folds are balanced over the classes, or over fifths of the range of a regression's target.
    Fewer folds are made where a class has fewer subjects.

    Raises
    ------
    TaskImpossible
        If the scans outside some fold would miss a class.
    """
    n_subjects = len(np.unique(scans.groups))
    strata, limit = scans.true, n_subjects
    if scans.classes:
        limit = min(subjects_per_class(scans.true, scans.groups, scans.classes).values())
    else:
        bins = max(1, min(5, n_subjects // folds))
        ranks = pd.Series(scans.true).groupby(scans.groups).transform("mean").rank(method="first")
        strata = ((ranks - 1) * bins // len(ranks)).to_numpy(dtype=int)
    if limit < 2:
        message = "all scans, or all of one class, are of one person"
        raise TaskImpossible(message)
    splitter = StratifiedGroupKFold(min(folds, limit), shuffle=True, random_state=seed)
    fold = np.full(len(scans.rows), -1)
    for number, (_, held_out) in enumerate(splitter.split(strata, strata, scans.groups)):
        fold[held_out] = number
    for number in np.unique(fold):
        if len(np.unique(scans.true[fold != number])) < max(2, len(scans.classes)):
            message = "subjects are too few for training folds that hold every class"
            raise TaskImpossible(message)
    return fold
