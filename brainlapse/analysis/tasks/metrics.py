"""Scores of predictions, their chance levels and intervals over subjects."""

from collections.abc import Callable, Mapping

import numpy as np
from scipy.special import expit, logit
from scipy.stats import rankdata

from brainlapse.analysis.paired import FEWEST, draw_people, interval

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
    """ROC AUC of the last of two classes, or of each against the others, averaged over more.

    Parameters
    ----------
    true : np.ndarray
        Class numbers, int (N,).
    probability : np.ndarray
        float (N, K), column k for class k.
    """
    classes = scored_classes(probability)
    return float(np.mean([roc_auc(true == k, probability[:, k]) for k in classes]))


def scored_classes(probability: np.ndarray) -> list[int]:
    """Return the last of two classes, or all of more, of probabilities (N, K)."""
    return [1] if probability.shape[1] == 2 else list(range(probability.shape[1]))


def pr_auc(positive: np.ndarray, score: np.ndarray) -> float:
    """Average precision: precision over recall, summed in steps; NaN where one class is absent.

    Arguments as `roc_auc`; scans of one score are called positive together.
    """
    if positive.all() or not positive.any():
        return np.nan
    order = np.argsort(-score, kind="stable")
    found = np.cumsum(positive[order])
    last = np.append(np.diff(score[order]) != 0, True)  # of each run of equal scores
    precision = found[last] / (np.flatnonzero(last) + 1)
    return float(np.sum(np.diff(found[last], prepend=0) * precision) / positive.sum())


def mean_pr_auc(true: np.ndarray, probability: np.ndarray) -> float:
    """Average precision of the last of two classes, or the mean over more."""
    classes = scored_classes(probability)
    return float(np.mean([pr_auc(true == k, probability[:, k]) for k in classes]))


def mean_share(true: np.ndarray, n_classes: int) -> float:
    """Average precision of a constant: the share of the last of two classes, or its mean."""
    return float(np.mean(true == 1)) if n_classes == 2 else 1 / n_classes


def f1(true: np.ndarray, predicted: np.ndarray, classes: list[int]) -> float:
    """Harmonic mean of precision and sensitivity, averaged over those of the classes found."""
    wrong_or_right = {k: np.sum(true == k) + np.sum(predicted == k) for k in classes}
    scores = [
        2 * np.sum((true == k) & (predicted == k)) / total
        for k, total in wrong_or_right.items()
        if total
    ]
    return float(np.mean(scores)) if scores else np.nan


def sensitivity(true: np.ndarray, predicted: np.ndarray, name: int) -> float:
    """Share of the scans of class ``name`` that were found; NaN where it has none."""
    mine = true == name
    return float(np.mean(predicted[mine] == name)) if mine.any() else np.nan


def brier(true: np.ndarray, probability: np.ndarray) -> float:
    """Mean squared error of the probability of the last of two classes, or summed over more."""
    if not len(true):
        return np.nan
    squares = (probability - (true[:, None] == np.arange(probability.shape[1]))) ** 2
    return float(squares[:, 1:].mean() if probability.shape[1] == 2 else squares.sum(1).mean())


def calibration_slope(positive: np.ndarray, probability: np.ndarray) -> float:
    """Slope of a logistic regression of the truth on the logit of the probability.

    1 where probabilities are as sure as they should be, below 1 where they are too sure. NaN
    where it has no finite value: one class, one probability, or classes wholly apart.
    """
    scores = logit(np.clip(probability, 1e-6, 1 - 1e-6))
    if positive.all() or not positive.any() or np.ptp(scores) == 0:
        return np.nan
    design = np.stack([np.ones_like(scores), scores], axis=1)
    weights = np.zeros(2)
    for _ in range(50):  # Newton's method
        expected = expit(design @ weights)
        curvature = design.T @ (design * (expected * (1 - expected))[:, None])
        if np.linalg.cond(curvature) > 1e12:
            return np.nan
        step = np.linalg.solve(curvature, design.T @ (positive - expected))
        weights += step
        if np.abs(step).max() < 1e-8:
            return float(weights[1])
    return np.nan


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


CLASSIFICATION = (
    *("accuracy", "balanced_accuracy", "roc_auc", "pr_auc", "f1", "brier"),
    *("sensitivity", "specificity", "calibration_slope"),  # of two classes
)
REGRESSION = ("mae", "rmse", "r2", "pearson_r", "mae_bias_corrected")


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
    two = probability.shape[1] == 2
    wanted = scored_classes(probability)
    functions: dict[str, Metric] = {
        "accuracy": lambda rows: accuracy(true[rows], predicted[rows]),
        "balanced_accuracy": lambda rows: balanced_accuracy(true[rows], predicted[rows]),
        "roc_auc": lambda rows: mean_roc_auc(true[rows], probability[rows]),
        "pr_auc": lambda rows: mean_pr_auc(true[rows], probability[rows]),
        "f1": lambda rows: f1(true[rows], predicted[rows], wanted),
        "brier": lambda rows: brier(true[rows], probability[rows]),
    }
    of_two: dict[str, Metric] = {
        "sensitivity": lambda rows: sensitivity(true[rows], predicted[rows], 1),
        "specificity": lambda rows: sensitivity(true[rows], predicted[rows], 0),
        "calibration_slope": lambda rows: calibration_slope(true[rows] == 1, probability[rows, 1]),
    }
    return functions | of_two if two else functions


def regression_metrics(
    true: np.ndarray, predicted: np.ndarray, corrected: np.ndarray
) -> dict[str, Metric]:
    """Metrics as functions of the scans they are taken over.

    Parameters
    ----------
    true, predicted : np.ndarray
        float (N,).
    corrected : np.ndarray
        float (N,), predictions without their pull to the mean.
    """
    return {
        "mae": lambda rows: mae(true[rows], predicted[rows]),
        "rmse": lambda rows: rmse(true[rows], predicted[rows]),
        "r2": lambda rows: r2(true[rows], predicted[rows]),
        "pearson_r": lambda rows: pearson_r(true[rows], predicted[rows]),
        "mae_bias_corrected": lambda rows: mae(true[rows], corrected[rows]),
    }


def bootstrap_intervals(
    metrics: Mapping[str, Metric],
    rows: np.ndarray,
    groups: np.ndarray,
    samples: int,
    seed: int,
) -> dict[str, tuple[float, float]]:
    """95 % intervals from resampling whole subjects with replacement; none of fewer than 6.

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
    subjects = len(np.unique(groups[rows]))
    if samples == 0 or subjects < FEWEST:
        return dict.fromkeys(metrics, (np.nan, np.nan))
    values: dict[str, list[float]] = {name: [] for name in metrics}
    for drawn in draw_people(groups[rows], samples, seed):
        for name, metric in metrics.items():
            values[name].append(metric(rows[drawn]))
    return {name: interval(np.asarray(draws), subjects) for name, draws in values.items()}
