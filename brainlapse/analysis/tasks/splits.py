"""What a task's models are fitted on, and what they are judged on."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from brainlapse.analysis.pca import flatten_latents
from brainlapse.analysis.settings import AnalysisSettings, TaskSettings
from brainlapse.analysis.tasks.folds import (
    TaskImpossible,
    TaskScans,
    check_people,
    select_scans,
    subject_folds,
)
from brainlapse.analysis.tasks.twins import merge_twins
from brainlapse.cohort.columns import find_named
from brainlapse.cohort.people.names import class_name


@dataclass(frozen=True)
class Split:
    """Positions among a task's scans, int arrays; nobody is in both.

    ``name`` says what is held out, where that has a name.
    """

    training: np.ndarray
    held_out: np.ndarray
    name: str = ""


def choose_people(
    latents: np.ndarray,
    index: pd.DataFrame,
    task: TaskSettings,
    settings: AnalysisSettings,
    seed: int,
) -> tuple[np.ndarray, TaskScans, list[Split], str]:
    """Latents (N, P) of a task's scans, the scans, their folds, and notes on both.

    Raises
    ------
    TaskImpossible
        If the cohort does not allow the task.
    """
    scans = select_scans(index, task)
    features = flatten_latents(latents)[scans.rows]
    scans, twins = merge_twins(features, scans)
    check_people(scans, task.target, settings.min_subjects)
    splits, made = task_splits(index, scans, task, settings, seed)
    return features, scans, splits, "; ".join(filter(None, (made, twins)))


def task_splits(
    index: pd.DataFrame, scans: TaskScans, task: TaskSettings, settings: AnalysisSettings, seed: int
) -> tuple[list[Split], str]:
    """Folds of a task, and a note on how they were made where they are not the usual ones.

    Raises
    ------
    TaskImpossible
        If the cohort has too few people for them.
    """
    if task.train_datasets is not None:
        return _other_datasets(index, scans, task, task.train_datasets, settings)
    if task.leave_out is not None:
        return _leave_out(index, scans, task, task.leave_out, settings)
    fold = subject_folds(scans, settings.folds, seed)
    return [
        Split(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in np.unique(fold)
    ], ""


def _other_datasets(
    index: pd.DataFrame,
    scans: TaskScans,
    task: TaskSettings,
    datasets: list[str],
    settings: AnalysisSettings,
) -> tuple[list[Split], str]:
    """Fit on some data sets, judge on all others."""
    named = ", ".join(datasets)
    judged = ~index["dataset"].isin(datasets).to_numpy()[scans.rows]
    if not judged.any():
        message = f"no scan of a data set other than {named} has a known {task.target!r}"
        raise TaskImpossible(message)
    split = _without_held_out(scans, judged, np.ones(len(judged), dtype=bool))
    try:
        check_people(scans.subset(split.training), task.target, settings.min_subjects)
    except TaskImpossible as reason:
        message = f"in {named}, which the task is fitted on: {reason}"
        raise TaskImpossible(message) from None
    return [split], f"fitted on {named}, judged on the others"


def _leave_out(
    index: pd.DataFrame,
    scans: TaskScans,
    task: TaskSettings,
    column: str,
    settings: AnalysisSettings,
) -> tuple[list[Split], str]:
    """Hold out the values of a column one after another, fit on the rest."""
    names = _values(index, column)[scans.rows]
    known = names != ""
    values = np.unique(names[known])
    if len(values) < 2:
        message = f"fewer than two values of {column!r} to leave out: {', '.join(values) or 'none'}"
        raise TaskImpossible(message)
    splits, alone = [], []
    for value in values:
        split = _without_held_out(scans, names == value, known, value)
        try:
            check_people(scans.subset(split.training), task.target, settings.min_subjects)
            splits.append(split)
        except TaskImpossible:
            alone.append(value)
    if not splits:
        message = f"whatever {column!r} is left out, the rest has too few people of some class"
        raise TaskImpossible(message)
    note = f"each {column} held out in turn"
    if alone:
        note += f"; not judged, as the rest has too few people: {', '.join(alone)}"
    if not known.all():
        note += f"; {np.sum(~known)} scans without {column} left out"
    return splits, note


def _without_held_out(
    scans: TaskScans, held_out: np.ndarray, usable: np.ndarray, name: str = ""
) -> Split:
    """Fit on what is usable and not held out, without anyone who is held out elsewhere."""
    seen = usable & ~held_out & ~np.isin(scans.groups, scans.groups[held_out])
    return Split(np.flatnonzero(seen), np.flatnonzero(held_out), name)


def _values(index: pd.DataFrame, column: str) -> np.ndarray:
    """Return data set and value of each scan, (N,) text; empty where unknown."""
    found = find_named(column, index.columns)
    if found is None:
        message = f"the cohort has no column {column!r} to leave out"
        raise TaskImpossible(message)
    names = [class_name(value) for value in index[found]]
    if found == "dataset":
        return np.array([name or "" for name in names])
    pairs = zip(index["dataset"], names, strict=True)
    return np.array([f"{dataset}/{name}" if name else "" for dataset, name in pairs])
