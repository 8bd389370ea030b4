"""Scores of predictions, their chance levels and intervals over subjects."""

from collections.abc import Callable, Mapping

import numpy as np
from scipy.stats import rankdata

Metric = Callable[[np.ndarray], float]  # indices of scans -> value


def accuracy(true: np.ndarray, predicted: np.ndarray) -> float:
    """Share of scans given their own class; both arrays int (N,)."""
    return float(np.mean(true == predicted)) if len(true) else np.nan


def balanced_accuracy(true: np.ndarray, predicted: np.ndarray) -> float:
    """Mean, over the classes present, of the share of their scans that were found."""
    if not len(true):
        return np.nan
    return float(np.mean([np.mean(predicted[true == name] == name) for name in np.unique(true)]))


def roc_auc(positive: np.ndarray, score: np.ndarray) -> float:
    """Area under the ROC curve; ties count half; NaN where one class is absent.

    Parameters
    ----------
    positive : np.ndarray
        bool (N,).
    score : np.ndarray
        float (N,), higher for the positive class.
    """
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if n_positive == 0 or n_negative == 0:
        return np.nan
    rank_sum = rankdata(score)[positive].sum()
    return float((rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def mean_roc_auc(true: np.ndarray, probability: np.ndarray) -> float:
    """ROC AUC of each class against the others, averaged over the classes.

    Parameters
    ----------
    true : np.ndarray
        Class numbers, int (N,).
    probability : np.ndarray
        float (N, K), column k for class k.
    """
    areas = [roc_auc(true == k, probability[:, k]) for k in range(probability.shape[1])]
    return float(np.mean(areas))


def mae(true: np.ndarray, predicted: np.ndarray) -> float:
    """Mean absolute error, in the unit of the target."""
    return float(np.mean(np.abs(true - predicted))) if len(true) else np.nan


def rmse(true: np.ndarray, predicted: np.ndarray) -> float:
    """Root mean squared error, in the unit of the target."""
    return float(np.sqrt(np.mean((true - predicted) ** 2))) if len(true) else np.nan


def r2(true: np.ndarray, predicted: np.ndarray) -> float:
    """Share of the variance explained; negative where the mean would do better."""
    spread = np.sum((true - true.mean()) ** 2) if len(true) else 0.0
    return float(1 - np.sum((true - predicted) ** 2) / spread) if spread > 0 else np.nan


def pearson_r(true: np.ndarray, predicted: np.ndarray) -> float:
    """Pearson correlation; NaN for fewer than 3 scans or a constant."""
    if len(true) < 3 or np.ptp(true) == 0 or np.ptp(predicted) == 0:
        return np.nan
    return float(np.corrcoef(true, predicted)[0, 1])


CLASSIFICATION = ("accuracy", "balanced_accuracy", "roc_auc")
REGRESSION = ("mae", "rmse", "r2", "pearson_r")


def classification_metrics(true: np.ndarray, probability: np.ndarray) -> dict[str, Metric]:
    """Metrics as functions of the scans they are taken over.

    Parameters
    ----------
    true : np.ndarray
        Class numbers, int (N,).
    probability : np.ndarray
        float (N, K), column k for class k.
    """
    predicted = probability.argmax(axis=1)
    return {
        "accuracy": lambda rows: accuracy(true[rows], predicted[rows]),
        "balanced_accuracy": lambda rows: balanced_accuracy(true[rows], predicted[rows]),
        "roc_auc": lambda rows: mean_roc_auc(true[rows], probability[rows]),
    }


def regression_metrics(true: np.ndarray, predicted: np.ndarray) -> dict[str, Metric]:
    """Metrics as functions of the scans they are taken over; both arrays float (N,)."""
    return {
        "mae": lambda rows: mae(true[rows], predicted[rows]),
        "rmse": lambda rows: rmse(true[rows], predicted[rows]),
        "r2": lambda rows: r2(true[rows], predicted[rows]),
        "pearson_r": lambda rows: pearson_r(true[rows], predicted[rows]),
    }


def bootstrap_intervals(
    metrics: Mapping[str, Metric],
    rows: np.ndarray,
    groups: np.ndarray,
    samples: int,
    seed: int,
) -> dict[str, tuple[float, float]]:
    """95 % percentile intervals from resampling whole subjects with replacement.

    The models are not fitted again: the intervals say how much the value depends on which
    subjects were scored, not on which were trained on.

    Parameters
    ----------
    metrics : Mapping[str, Metric]
        Functions of scan indices.
    rows : np.ndarray
        int (M,), scans taken into account.
    groups : np.ndarray
        Subject keys (N,) of all scans.
    samples : int
        Resamplings; 0 gives NaN.
    seed : int
        Seed of the resampling.
    """
    unknown = dict.fromkeys(metrics, (np.nan, np.nan))
    subjects, member = np.unique(groups[rows], return_inverse=True)
    if samples == 0 or len(subjects) < 2:
        return unknown
    scans_of = [rows[member == number] for number in range(len(subjects))]
    generator = np.random.default_rng(seed)
    values: dict[str, list[float]] = {name: [] for name in metrics}
    for _ in range(samples):
        drawn = generator.integers(len(subjects), size=len(subjects))
        scans = np.concatenate([scans_of[number] for number in drawn])
        for name, metric in metrics.items():
            values[name].append(metric(scans))
    return {name: _central_95(np.asarray(draws)) for name, draws in values.items()}


def _central_95(draws: np.ndarray) -> tuple[float, float]:
    finite = draws[np.isfinite(draws)]
    if len(finite) == 0:
        return np.nan, np.nan
    low, high = np.percentile(finite, [2.5, 97.5])
    return float(low), float(high)
