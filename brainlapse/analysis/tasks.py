"""Predict targets from latent codes by cross-validation over subjects, beside baselines.

Scaler, principal components and model are fitted inside each training fold. The autoencoder is
not: it has seen the images of the train split, so results are also given by autoencoder split.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from brainlapse.analysis import crossval, metrics
from brainlapse.analysis.folds import (
    TaskImpossible,
    TaskScans,
    check_people,
    select_scans,
    subject_folds,
)
from brainlapse.analysis.pca import flatten_latents
from brainlapse.analysis.settings import AnalysisSettings, TaskSettings
from brainlapse.analysis.twins import merge_twins
from brainlapse.cohort.columns import find_named

PREDICTION_COLUMNS = [
    *("dataset", "subject", "session", "scan", "split", "fold"),
    *("true", "predicted", "score", "note"),
]
METRIC_COLUMNS = [
    *("task", "autoencoder_split", "metric", "value", "baseline", "confounds"),
    *("ci_low", "ci_high", "n_scans", "n_subjects", "n_folds", "note"),
]
SEEN_NOTE = "the autoencoder was trained on these images"


@dataclass(frozen=True)
class TaskResult:
    """Tables of one task: ``PREDICTION_COLUMNS`` and ``METRIC_COLUMNS``."""

    predictions: pd.DataFrame
    metrics: pd.DataFrame


def evaluate_task(
    latents: np.ndarray,
    index: pd.DataFrame,
    task: TaskSettings,
    settings: AnalysisSettings,
    seed: int,
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

    Returns
    -------
    TaskResult
        Where the cohort does not allow the task: no predictions, NaN metrics, and the reason in
        ``note``.
    """
    try:
        scans = select_scans(index, task)
        features = flatten_latents(latents)[scans.rows]
        scans, twins = merge_twins(features, scans)
        check_people(scans, task.target, settings.min_subjects)
        fold = subject_folds(scans, settings.folds, seed)
    except TaskImpossible as reason:
        return impossible_task(task, str(reason))
    latent_steps = partial(crossval.latent_steps, settings=settings, seed=seed)
    output = crossval.cross_validate(features, scans, fold, settings, latent_steps)
    baseline = crossval.constant_output(scans, fold)
    confounds, missing = _confounds_output(index, task, scans, fold, settings)
    predictions = _prediction_table(index, scans, fold, output)
    split = index["split"].to_numpy(dtype=str)[scans.rows]
    table = _metric_table(scans, split, [output, baseline, confounds], settings, seed)
    table.insert(0, "task", task.name)
    table["n_folds"] = fold.max() + 1
    table["note"] = ["; ".join(filter(None, (n, twins, missing))) or np.nan for n in table["note"]]
    return TaskResult(predictions, table[METRIC_COLUMNS])


def impossible_task(task: TaskSettings, reason: str) -> TaskResult:
    """Tables that hold the reason instead of numbers."""
    names = metrics.CLASSIFICATION if task.kind == "classification" else metrics.REGRESSION
    table = pd.DataFrame({"metric": names}).reindex(columns=METRIC_COLUMNS)
    table = table.assign(task=task.name, autoencoder_split="all", note=reason)
    table = table.assign(n_scans=0, n_subjects=0, n_folds=0)
    return TaskResult(pd.DataFrame(columns=PREDICTION_COLUMNS), table)


def _confounds_output(
    index: pd.DataFrame,
    task: TaskSettings,
    scans: TaskScans,
    fold: np.ndarray,
    settings: AnalysisSettings,
) -> tuple[np.ndarray | None, str]:
    """Out-of-fold output of a model that sees only the covariates, and a note on missing ones."""
    columns = {name: find_named(name, index.columns) for name in task.covariates}
    missing = [name for name, column in columns.items() if column is None]
    if missing:
        return None, f"confounds baseline left out: the cohort has no column {', '.join(missing)}"
    if not task.covariates:
        return None, ""
    table = index[list(columns.values())].iloc[scans.rows].reset_index(drop=True)
    for name in table:
        if not pd.api.types.is_numeric_dtype(table[name]):
            table[name] = table[name].astype(object).where(table[name].notna(), "n/a").astype(str)
    return crossval.cross_validate(table, scans, fold, settings, crossval.covariate_steps), ""


def _prediction_table(
    index: pd.DataFrame, scans: TaskScans, fold: np.ndarray, output: np.ndarray
) -> pd.DataFrame:
    table = index.iloc[scans.rows].reindex(columns=PREDICTION_COLUMNS[:5]).reset_index(drop=True)
    table["fold"] = fold
    if not scans.classes:
        return table.assign(true=scans.true, predicted=output[:, 0], score=output[:, 0], note=None)
    names = np.array(scans.classes)
    two_classes = len(names) == 2
    score = output[:, 1] if two_classes else output.max(axis=1)
    predicted = names[output.argmax(axis=1)]
    return table.assign(true=names[scans.true], predicted=predicted, score=score, note=None)


def _metric_table(
    scans: TaskScans,
    split: np.ndarray,
    outputs: list[np.ndarray | None],
    settings: AnalysisSettings,
    seed: int,
) -> pd.DataFrame:
    """Metrics over all scans, then over those of each autoencoder split."""
    model, baseline, confounds = (_metrics_of(scans, output) for output in outputs)
    records = []
    for name in ["all", *(s for s in ("train", "validation", "test", "apply") if s in split)]:
        rows = np.flatnonzero((split == name) | (name == "all"))
        ranges = metrics.bootstrap_intervals(
            model, rows, scans.groups, settings.bootstrap_samples, seed
        )
        for metric, function in model.items():
            records.append(
                {
                    "autoencoder_split": name,
                    "metric": metric,
                    "value": function(rows),
                    "baseline": _chance_level(metric, baseline, rows),
                    "confounds": confounds[metric](rows) if confounds else np.nan,
                    "ci_low": ranges[metric][0],
                    "ci_high": ranges[metric][1],
                    "n_scans": len(rows),
                    "n_subjects": len(np.unique(scans.groups[rows])),
                    "note": SEEN_NOTE if name == "train" else "",
                }
            )
    return pd.DataFrame(records)


def _metrics_of(scans: TaskScans, output: np.ndarray | None) -> dict[str, metrics.Metric]:
    if output is None:
        return {}
    if scans.classes:
        return metrics.classification_metrics(scans.true, output)
    return metrics.regression_metrics(scans.true, output[:, 0])


def _chance_level(metric: str, baseline: dict[str, metrics.Metric], rows: np.ndarray) -> float:
    """Metric of the constant baseline.

    Constants differ a little between folds, against the fold's own targets; metrics of order
    and correlation would read that as skill below chance, so theirs is given directly.
    """
    if metric == "roc_auc":
        return 0.5
    return np.nan if metric == "pearson_r" else baseline[metric](rows)
