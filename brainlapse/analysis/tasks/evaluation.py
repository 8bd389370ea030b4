"""Predict targets from latent codes by cross-validation over subjects, beside baselines.

Scaler, principal components and model are fitted inside each training fold. The autoencoder is
not: it has seen the images of the train split, so results are also given by autoencoder split.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from brainlapse.analysis.settings import AnalysisSettings, TaskSettings
from brainlapse.analysis.tasks import crossval, permutations
from brainlapse.analysis.tasks.confounds import tabulate_covariates
from brainlapse.analysis.tasks.estimators import estimators_of
from brainlapse.analysis.tasks.folds import TaskImpossible, TaskScans
from brainlapse.analysis.tasks.splits import Split, choose_people
from brainlapse.analysis.tasks.tables import (
    METRIC_COLUMNS,
    Judged,
    TaskResult,
    impossible_task,
    metric_table,
    prediction_table,
    rows_by_split,
)
from brainlapse.cohort.columns import find_named

TAUGHT_NOTE = "people of the train split are not judged: the autoencoder learned their labels"


def evaluate_task(
    latents: np.ndarray,
    index: pd.DataFrame,
    task: TaskSettings,
    settings: AnalysisSettings,
    seed: int,
    volumes: pd.DataFrame | None = None,
    taught: Sequence[str] = (),
) -> TaskResult:
    """Cross-validated predictions of one task and their metrics.

    Parameters
    ----------
    latents : np.ndarray
        Latent means, float32 (N, C, d, h, w).
    index : pd.DataFrame
        One row per latent, in the same order.
    task, settings : TaskSettings, AnalysisSettings
        What to predict, and how.
    seed : int
        Seed of folds, solver and resampling.
    volumes : pd.DataFrame
        Regional volumes (N, regions), from `tabulate_volumes`: the same models see them alone.
    taught : Sequence[str]
        Targets whose labels the autoencoder was trained on. Where the task's is among them, people
        of its train split are not judged: their latents hold the answer.

    Returns
    -------
    TaskResult
        Predictions are of the main estimator, the first; metrics of all, the main one's first.
        Where the cohort does not allow the task: no predictions, NaN metrics, and the reason in
        ``note``.
    """
    estimators = estimators_of(task, settings)
    try:
        features, scans, splits, made = choose_people(latents, index, task, settings, seed)
    except TaskImpossible as reason:
        return impossible_task(task, list(estimators), str(reason))
    latent_steps = partial(crossval.latent_steps, settings=settings, seed=seed)
    prepared = crossval.prepare_folds(features, splits, latent_steps)
    covariates, missing = tabulate_covariates(index, task, scans)
    beside = _prepare_table(covariates, splits)
    adjusted = crossval.without(prepared, beside) if beside else []
    segmented = _prepare_volumes(volumes, scans, splits)
    baseline = crossval.constant_output(scans, splits)
    told = _told_rows(index, task, scans, taught)
    outputs, tables = [], []
    for name, estimator in estimators.items():
        fit = partial(
            crossval.cross_validate, scans=scans, estimator=estimator, settings=settings, seed=seed
        )
        outputs.append(_unjudged(fit(prepared, ordered=True), told))
        judged = Judged(
            outputs[-1],
            baseline,
            confounds=fit(beside) if beside else None,
            adjusted=fit(adjusted, ordered=True) if adjusted else None,
            volumes=fit(segmented) if segmented else None,
        )
        tables.append(metric_table(index, scans, judged, settings, seed).assign(estimator=name))
    table = pd.concat(tables, ignore_index=True).assign(task=task.name, n_folds=len(splits))
    left_out = TAUGHT_NOTE if told.any() else ""
    notes = [(note, left_out, made, missing) for note in table["note"]]
    table["note"] = ["; ".join(filter(None, parts)) or np.nan for parts in notes]
    if settings.permutations:
        main = permutations.main_metric(scans)
        rows = rows_by_split(index, scans, outputs[0])
        first = next(iter(estimators))
        p_values = permutations.permutation_p_values(
            prepared, scans, outputs[0], rows, estimators[first], settings, seed
        )
        shown = (table["estimator"] == first) & (table["metric"] == main)
        table.loc[shown, "p_value"] = table.loc[shown, "autoencoder_split"].map(p_values)
    predictions = prediction_table(index, scans, splits, outputs[0])
    return TaskResult(predictions, table[METRIC_COLUMNS])


def _told_rows(
    index: pd.DataFrame, task: TaskSettings, scans: TaskScans, taught: Sequence[str]
) -> np.ndarray:
    """Tell which of the task's scans taught the autoencoder their target, bool (N,)."""
    columns = {find_named(target, index.columns) for target in taught}
    told = find_named(task.target, index.columns) in columns
    return told & (index["split"].to_numpy(dtype=str)[scans.rows] == "train")


def _unjudged(output: crossval.Output, rows: np.ndarray) -> crossval.Output:
    """Return the output without what it says of some scans."""
    values = np.where(rows[:, None], np.nan, output.values)
    return replace(output, values=values, corrected=np.where(rows, np.nan, output.corrected))


def _prepare_volumes(
    volumes: pd.DataFrame | None, scans: TaskScans, splits: list[Split]
) -> list[crossval.FoldData]:
    """Prepare the volumes of the task's scans fold by fold; nothing where none were measured."""
    if volumes is None:
        return []
    table = volumes.iloc[scans.rows].reset_index(drop=True).dropna(axis="columns", how="all")
    return _prepare_table(table, splits)


def _prepare_table(table: pd.DataFrame, splits: list[Split]) -> list[crossval.FoldData]:
    """Prepare a table fold by fold; nothing for one without columns."""
    told = splits if len(table.columns) else []
    return crossval.prepare_folds(table, told, crossval.covariate_steps)
