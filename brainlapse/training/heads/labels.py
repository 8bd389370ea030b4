"""Labels of training scans as the heads take them: a target and a weight per scan."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class TaskLabels:
    """Targets of one task for all N training scans.

    Attributes
    ----------
    classes
        Names of the classes; empty for a regression.
    targets
        (N,): class numbers, int64, or standardised numbers, float32; 0 where there is no label.
    weights
        float32 (N,): 0 where there is no label. They average to 1 over all scans, and every class
        has the same sum.
    mean, sd
        Of the labels of a regression, in the target's unit: a head's output times sd, plus mean.
    """

    name: str
    classes: tuple[str, ...]
    targets: np.ndarray
    weights: np.ndarray
    mean: float = 0.0
    sd: float = 1.0

    def describe(self) -> dict[str, Any]:
        """Return what the model's card says of the head."""
        scans = int((self.weights > 0).sum())
        facts: dict[str, Any] = {"task": self.name, "training_scans": scans}
        if self.classes:
            return {**facts, "kind": "classification", "classes": list(self.classes)}
        return {**facts, "kind": "regression", "mean": self.mean, "sd": self.sd}


def read_labels(rows: Sequence[Sequence[Any]], names: Sequence[str]) -> list[TaskLabels]:
    """Put labels in the order of the training scans.

    Parameters
    ----------
    rows
        Rows of dataset, scan, task, task_kind, label and coded, of `labels.tsv`.
    names
        "dataset/scan" of each training scan.
    """
    tasks = dict.fromkeys(row[2] for row in rows)
    return [_labels_of(task, [row for row in rows if row[2] == task], names) for task in tasks]


def _labels_of(task: str, rows: list[Sequence[Any]], names: Sequence[str]) -> TaskLabels:
    place_of = {name: place for place, name in enumerate(names)}
    places = np.array([place_of[f"{row[0]}/{row[1]}"] for row in rows])
    coded = np.array([row[5] for row in rows], dtype=float)
    if rows[0][3] == "regression":
        mean, sd = float(coded.mean()), float(coded.std())
        targets = _spread((coded - mean) / sd, places, len(names), np.float32)
        weights = _spread(np.full(len(rows), len(names) / len(rows)), places, len(names))
        return TaskLabels(task, (), targets, weights, mean, sd)
    numbers = coded.astype(int)
    named = {int(row[5]): _class_text(row[4]) for row in rows}
    classes = tuple(named[number] for number in range(len(named)))
    shares = len(names) / (len(classes) * np.bincount(numbers))
    targets = _spread(numbers, places, len(names), np.int64)
    return TaskLabels(task, classes, targets, _spread(shares[numbers], places, len(names)))


def _class_text(value: Any) -> str:
    """Write a class as text: beside the numbers of other tasks, a table's 1 is read as 1.0."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _spread(
    values: np.ndarray, places: np.ndarray, count: int, kind: type = np.float32
) -> np.ndarray:
    """Return values at their places among `count` scans, 0 elsewhere."""
    whole: np.ndarray = np.zeros(count, dtype=kind)
    whole[places] = values
    return whole
