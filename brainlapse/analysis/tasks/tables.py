"""Tables of a task: a prediction per held-out scan, a metric per row."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from brainlapse.analysis.paired import FEWEST
from brainlapse.analysis.settings import AnalysisSettings, TaskSettings
from brainlapse.analysis.tasks import metrics
from brainlapse.analysis.tasks.crossval import Output
from brainlapse.analysis.tasks.folds import TaskScans
from brainlapse.analysis.tasks.splits import Split

PREDICTION_COLUMNS = [
    *("dataset", "subject", "session", "scan", "split", "fold"),
    *("true", "predicted", "score", "chosen", "note"),
]
BESIDE = ("confounds", "adjusted", "volumes")
METRIC_COLUMNS = [
    *("task", "estimator", "autoencoder_split", "metric", "value", "baseline"),
    *BESIDE,
    *("ci_low", "ci_high", "p_value", "n_scans", "n_subjects", "n_folds", "chosen", "note"),
]
SEEN_NOTE = "the autoencoder was trained on these images"
FEW_NOTE = f"no interval: fewer than {FEWEST} people"
ALIKE_NOTE = "no interval: every drawing of these people gives the same value"


@dataclass(frozen=True)
class TaskResult:
    """Tables of one task: ``PREDICTION_COLUMNS`` and ``METRIC_COLUMNS``."""

    predictions: pd.DataFrame
    metrics: pd.DataFrame


@dataclass(frozen=True)
class Judged:
    """Output of one estimator and of what stands beside it, for the same scans."""

    model: Output
    baseline: Output
    confounds: Output | None
    adjusted: Output | None
    volumes: Output | None


def impossible_task(task: TaskSettings, estimators: list[str], reason: str) -> TaskResult:
    """Tables that hold the reason instead of numbers."""
    names = metrics.CLASSIFICATION if task.kind == "classification" else metrics.REGRESSION
    rows = [(estimator, metric) for estimator in estimators for metric in names]
    table = pd.DataFrame(rows, columns=["estimator", "metric"]).reindex(columns=METRIC_COLUMNS)
    table = table.assign(task=task.name, autoencoder_split="all", note=reason)
    table = table.assign(n_scans=0, n_subjects=0, n_folds=0)
    return TaskResult(pd.DataFrame(columns=PREDICTION_COLUMNS), table)


def prediction_table(
    index: pd.DataFrame, scans: TaskScans, splits: list[Split], output: Output
) -> pd.DataFrame:
    """Return a row per scan that some split holds out, in the order of the index."""
    fold = np.full(len(scans.true), -1)
    for number, split in enumerate(splits):
        fold[split.held_out] = number
    tested = np.flatnonzero((fold >= 0) & np.isfinite(output.values).all(axis=1))
    values, true = output.values[tested], scans.true[tested]
    table = index.iloc[scans.rows[tested]].reindex(columns=PREDICTION_COLUMNS)
    table = table.reset_index(drop=True).assign(fold=fold[tested])
    named = [f"held out: {split.name}" if split.name else None for split in splits]
    table["note"] = [named[number] for number in fold[tested]]
    table["chosen"] = [output.chosen[number] or None for number in fold[tested]]
    if not scans.classes:
        return table.assign(true=true, predicted=values[:, 0], score=values[:, 0])
    names = np.array(scans.classes)
    score = values[:, 1] if len(names) == 2 else values.max(axis=1)
    return table.assign(true=names[true], predicted=names[values.argmax(axis=1)], score=score)


def metric_table(
    index: pd.DataFrame, scans: TaskScans, judged: Judged, settings: AnalysisSettings, seed: int
) -> pd.DataFrame:
    """Metrics over all held-out scans, then over those of each autoencoder split."""
    model, baseline = metrics_of(scans, judged.model), metrics_of(scans, judged.baseline)
    beside = {name: getattr(judged, name) for name in BESIDE}
    others = {name: metrics_of(scans, output) for name, output in beside.items() if output}
    records = []
    for name, rows in rows_by_split(index, scans, judged.model).items():
        ranges = metrics.bootstrap_intervals(
            model, rows, scans.groups, settings.bootstrap_samples, seed
        )
        people = len(np.unique(scans.groups[rows]))
        notes = [SEEN_NOTE] * (name == "train") + [FEW_NOTE] * (people < FEWEST)
        for metric, function in model.items():
            value = function(rows)
            alike = _all_draws_alike(value, ranges[metric], people, settings)
            records.append(
                {
                    "autoencoder_split": name,
                    "metric": metric,
                    "value": value,
                    "baseline": _chance_level(metric, scans, baseline, rows),
                    **{name: found[metric](rows) for name, found in others.items()},
                    "ci_low": ranges[metric][0],
                    "ci_high": ranges[metric][1],
                    "n_scans": len(rows),
                    "n_subjects": people,
                    "note": "; ".join(notes + [ALIKE_NOTE] * alike),
                }
            )
    table = pd.DataFrame(records, columns=METRIC_COLUMNS)
    return table.assign(p_value=np.nan, chosen=_counted(judged.model.chosen))


def _all_draws_alike(
    value: float, limits: tuple[float, float], people: int, settings: AnalysisSettings
) -> bool:
    drawn = settings.bootstrap_samples > 0 and people >= FEWEST
    return bool(drawn and np.isfinite(value) and np.isnan(limits).all())


def rows_by_split(index: pd.DataFrame, scans: TaskScans, output: Output) -> dict[str, np.ndarray]:
    """Positions of the held-out scans: of all, and of each split of the autoencoder."""
    split = index["split"].to_numpy(dtype=str)[scans.rows]
    tested = np.isfinite(output.values).all(axis=1)
    named = [s for s in ("train", "validation", "test", "apply") if s in split[tested]]
    return {"all": np.flatnonzero(tested)} | {
        name: np.flatnonzero(tested & (split == name)) for name in named
    }


def metrics_of(scans: TaskScans, output: Output) -> dict[str, metrics.Metric]:
    """Return the metrics of an output by name, as functions of positions of scans."""
    if scans.classes:
        return metrics.classification_metrics(scans.true, output.values)
    return metrics.regression_metrics(scans.true, output.values[:, 0], output.corrected)


def _chance_level(
    metric: str, scans: TaskScans, baseline: dict[str, metrics.Metric], rows: np.ndarray
) -> float:
    """Metric of the constant baseline.

    Constants differ a little between folds, against the fold's own targets; metrics of order
    and correlation would read that as skill below chance, so theirs is given directly.
    """
    if metric == "roc_auc":
        return 0.5
    if metric == "pr_auc":
        return metrics.mean_share(scans.true[rows], len(scans.classes))
    known = metric not in ("pearson_r", "calibration_slope")
    return baseline[metric](rows) if known else np.nan


def _counted(chosen: list[str]) -> str | float:
    """Choices of the folds in words, the most frequent first."""
    counts = Counter(filter(None, chosen)).most_common()
    return "; ".join(f"{words} ({count} of {len(chosen)})" for words, count in counts) or np.nan
