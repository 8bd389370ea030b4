"""Heads on people held out: trained with the autoencoder, and fitted to its frozen latents.

Both are the same linear layer on the same pooled latent mean, with the same losses (cross-entropy
of classes that weigh the same, squared error) on the same training scans. The frozen one is fitted
by scikit-learn to its optimum, with a penalty that inner folds of the training people choose.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import softmax

from brainlapse.analysis.heads.labels import training_scans
from brainlapse.analysis.paired import FEWEST, rank_paired
from brainlapse.analysis.pca import flatten_latents
from brainlapse.analysis.settings import AnalysisSettings, TaskSettings
from brainlapse.analysis.tasks.crossval import Output, constant_output
from brainlapse.analysis.tasks.estimators import CLASSIFIERS, REGRESSORS
from brainlapse.analysis.tasks.folds import TaskImpossible, TaskScans
from brainlapse.analysis.tasks.metrics import Metric
from brainlapse.analysis.tasks.splits import Split
from brainlapse.analysis.tasks.tables import ALIKE_NOTE, FEW_NOTE, metrics_of
from brainlapse.analysis.tasks.tuning import fit_tuned
from brainlapse.analysis.tasks.twins import merge_twins
from brainlapse.cohort.columns import find_named
from brainlapse.cohort.people.names import class_name, people_of
from brainlapse.cohort.tables import is_flagged
from brainlapse.training.heads.pooling import pool_latents

HEAD_COLUMNS = [
    *("task", "head", "autoencoder_split", "metric", "value", "baseline", "ci_low", "ci_high"),
    *("n_scans", "n_subjects", "best", "than", "gap", "gap_low", "gap_high", "chosen", "note"),
]
HELD_OUT = ("validation", "test", "apply")
PARTS, SHARED = ("weight", "bias"), ("centre", "scale")  # of a head, and of all heads
HIGHER = {"roc_auc": True, "balanced_accuracy": True, "mae": False, "r2": True, "pearson_r": True}
"""Metrics, and whether more is better."""


def evaluate_heads(
    mean: np.ndarray,
    index: pd.DataFrame,
    tasks: Sequence[TaskSettings],
    trained: Mapping[str, Mapping[str, Any]],
    settings: AnalysisSettings,
    seed: int,
) -> pd.DataFrame:
    """Judge the heads of one autoencoder on people of whom it has seen neither image nor label.

    Parameters
    ----------
    mean
        Latent means, float32 (N, C, d, h, w).
    index
        One row per latent, in the same order.
    tasks
        Tasks that some model has a head for.
    trained
        Of this model's own heads by task, from `trained_heads`; others are judged frozen only.

    Returns
    -------
    pandas.DataFrame
        ``HEAD_COLUMNS``; for a task that the cohort does not allow, a row that says why.
    """
    features, whole = pool_latents(mean), flatten_latents(mean)
    tables = []
    for task in tasks:
        try:
            scans, split, note = _people(whole, index, task)
            outputs, notes = _outputs(features, scans, split, task, trained, settings, seed)
        except TaskImpossible as reason:
            tables.append(pd.DataFrame({"note": [str(reason)]}).assign(n_scans=0, task=task.name))
            continue
        notes = [*notes, note]
        tables.append(_judge(index, scans, split, outputs, seed, notes).assign(task=task.name))
    return pd.concat(tables, ignore_index=True).reindex(columns=HEAD_COLUMNS)


def trained_heads(
    card: Mapping[str, Any], weights: Mapping[str, np.ndarray]
) -> dict[str, dict[str, Any]]:
    """Return what the card says of each head, with its ``weight`` (K, F) and ``bias`` (K,)."""
    return {
        head["task"]: {
            **head,
            **{name: weights[f"heads.layers.task-{head['task']}.{name}"] for name in PARTS},
            **{name: weights[f"heads.{name}"] for name in SHARED},
        }
        for head in card.get("heads", [])
    }


def _people(
    latents: np.ndarray, index: pd.DataFrame, task: TaskSettings
) -> tuple[TaskScans, Split, str]:
    """Training scans of a task, then those held out; nobody is on both sides.

    Raises
    ------
    TaskImpossible
        If training people are too few, or nobody held out has a target.
    """
    training = training_scans(index, task)
    rows, true = _held_out(index, task, training.classes)
    if not len(rows):
        message = f"nobody of {', '.join(HELD_OUT)} has a known {task.target!r}"
        raise TaskImpossible(message)
    scans = TaskScans(
        np.concatenate([training.rows, rows]),
        np.concatenate([training.true, true]),
        training.classes,
        np.concatenate([training.groups, people_of(index)[rows]]),
    )
    scans, note = merge_twins(latents[scans.rows], scans)
    count = len(training.rows)
    held = np.arange(count, len(scans.rows))
    held = held[~np.isin(scans.groups[held], scans.groups[:count])]
    if not len(held):
        message = f"nobody of {', '.join(HELD_OUT)} is somebody else than the training people"
        raise TaskImpossible(message)
    return scans, Split(np.arange(count), held), note


def _held_out(
    index: pd.DataFrame, task: TaskSettings, classes: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of unflagged scans held out with a target that the training people know, and these."""
    column = index[find_named(task.target, index.columns)]
    usable = index["split"].isin(HELD_OUT) & ~is_flagged(index)
    if task.datasets is not None:
        usable &= index["dataset"].isin(task.datasets)
    if classes:
        number_of = {name: number for number, name in enumerate(classes)}
        coded = column.map(class_name).map(number_of)
    else:
        coded = pd.to_numeric(column, errors="coerce")
    rows = np.flatnonzero(usable & np.isfinite(coded.astype(float)))
    return rows, coded.iloc[rows].to_numpy(dtype=int if classes else float)


def _outputs(
    features: np.ndarray,
    scans: TaskScans,
    split: Split,
    task: TaskSettings,
    trained: Mapping[str, Mapping[str, Any]],
    settings: AnalysisSettings,
    seed: int,
) -> tuple[dict[str, Output], list[str]]:
    """Return what each head says, what always saying the same does, and notes."""
    seen = features[scans.rows].astype(float)
    outputs = {"baseline": constant_output(scans, [split])}
    notes = []
    if task.name in trained:
        head = trained[task.name]
        if list(head.get("classes", [])) == scans.classes:
            outputs["joint"] = _joint(seen, head)
        else:
            known = ", ".join(head.get("classes", [])) or "numbers"
            notes = [f"joint left out: that head knows {known}"]
    outputs["frozen"] = _frozen(seen, scans, split, settings, seed)
    return outputs, notes


def _joint(features: np.ndarray, head: Mapping[str, Any]) -> Output:
    """Output of a head that was trained with the autoencoder, for all scans."""
    centred = (features - head["centre"]) / float(head["scale"])
    scores = centred @ head["weight"].T.astype(float) + head["bias"]
    known = head["kind"] == "classification"
    values = softmax(scores, axis=1) if known else scores * head["sd"] + head["mean"]
    return Output(values, np.full(len(values), np.nan), [""])


def _frozen(
    features: np.ndarray, scans: TaskScans, split: Split, settings: AnalysisSettings, seed: int
) -> Output:
    """Output of the same layer fitted to the latents of the training people as they are.

    One scale for all features: elements keep their spread, as for the other tasks.
    """
    seen = features[split.training]
    scale = np.sqrt(seen.var(axis=0).mean()) or 1.0
    plain = (features - seen.mean(axis=0)) / scale
    estimator = CLASSIFIERS["logistic"] if scans.classes else REGRESSORS["ridge"]
    mine = scans.subset(split.training)
    tuned = fit_tuned(plain[split.training], mine, estimator, settings, seed, ordered=False)
    values = np.full((len(features), max(1, len(scans.classes))), np.nan)
    values[split.held_out] = tuned.output(plain[split.held_out])
    return Output(values, np.full(len(values), np.nan), [tuned.chosen])


def _judge(
    index: pd.DataFrame,
    scans: TaskScans,
    split: Split,
    outputs: dict[str, Output],
    seed: int,
    notes: list[str],
) -> pd.DataFrame:
    """Metrics of every head on the people of each split, drawn together."""
    metrics = {name: metrics_of(scans, output) for name, output in outputs.items()}
    heads = [name for name in outputs if name != "baseline"]
    side = index["split"].to_numpy(dtype=str)[scans.rows[split.held_out]]
    tables = []
    for name in (name for name in HELD_OUT if name in side):
        rows = split.held_out[side == name]
        for metric in (metric for metric in HIGHER if metric in metrics["baseline"]):
            functions = [metrics[head][metric] for head in heads]
            table = _stand(functions, heads, metric, rows, scans.groups, seed)
            tables.append(
                table.assign(
                    autoencoder_split=name,
                    metric=metric,
                    baseline=metrics["baseline"][metric](rows),
                    n_scans=len(rows),
                    chosen=_words([outputs[head].chosen for head in heads]),
                    note=_words([[*notes, reason] for reason in table["note"]]),
                )
            )
    return pd.concat(tables, ignore_index=True)


def _stand(
    functions: list[Metric],
    heads: list[str],
    metric: str,
    rows: np.ndarray,
    groups: np.ndarray,
    seed: int,
) -> pd.DataFrame:
    """Return the heads' values of one metric with their intervals, and why there are none."""

    def value(number: int, drawn: np.ndarray) -> float:
        return functions[number](rows[drawn])

    table = rank_paired(heads, value, groups[rows], higher=HIGHER[metric], seed=seed)
    table = table.rename(columns={"model": "head"})
    if len(np.unique(groups[rows])) < FEWEST:
        table[["ci_low", "ci_high", "gap_low", "gap_high"]] = np.nan
        return table.assign(note=FEW_NOTE)
    alike = table["ci_low"].isna() & np.isfinite(table["value"])
    return table.assign(note=np.where(alike, ALIKE_NOTE, ""))


def _words(parts: list[list[str]]) -> pd.Series:
    """Join the words of each row; missing where there are none."""
    return pd.Series(["; ".join(filter(None, row)) or None for row in parts], dtype=object)
