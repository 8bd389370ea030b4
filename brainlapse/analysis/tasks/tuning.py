"""A model fitted to one training fold, its penalty chosen by inner folds of that fold alone."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import sklearn
from scipy.special import softmax
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import ParameterGrid
from sklearn.utils.class_weight import compute_sample_weight

from brainlapse.analysis.settings import AnalysisSettings
from brainlapse.analysis.tasks.estimators import Estimator
from brainlapse.analysis.tasks.folds import TaskImpossible, TaskScans, subject_folds
from brainlapse.analysis.tasks.metrics import mean_roc_auc

LEAST_SLOPE = 0.1
"""Of the prediction over the truth; below it, undoing the pull to the mean blows up the noise."""

COUNT = "components"  # among the parameters of a model: how many of the first columns it sees
Pairs = list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Tuned:
    """A fitted model.

    Attributes
    ----------
    model : BaseEstimator
        Of scikit-learn.
    count : int | None
        Columns that it sees, from the first; None: all.
    chosen : str
        Parameters that the inner folds chose, in words; empty where nothing was to choose.
    calibration : LogisticRegression | None
        What makes probabilities of the distances that a support vector machine gives.
    bias : tuple[float, float] | None
        Intercept and slope of the inner folds' predictions over the truth, of a regression.
    """

    model: BaseEstimator
    count: int | None
    chosen: str
    calibration: LogisticRegression | None = None
    bias: tuple[float, float] | None = None

    def output(self, features: np.ndarray) -> np.ndarray:
        """Class probabilities (N, K), or the number predicted (N, 1), of features (N, P)."""
        found = _output(self.model, features[:, : self.count])
        if self.calibration is not None:
            return self.calibration.predict_proba(found)
        return softmax(found, axis=1) if _gives_distances(self.model) else found

    def corrected(self, predicted: np.ndarray) -> np.ndarray:
        """Undo the pull to the mean, without the truth of who is judged; NaN where unknown.

        The first of two ways of de Lange and Cole, 2020 (doi 10.1016/j.nicl.2020.102229): less the
        intercept, over the slope. The other one takes the age of who is judged.
        """
        if self.bias is None or self.bias[1] < LEAST_SLOPE:
            return np.full(len(predicted), np.nan)
        return (predicted - self.bias[0]) / self.bias[1]


def fit_tuned(
    seen: np.ndarray,
    scans: TaskScans,
    estimator: Estimator,
    settings: AnalysisSettings,
    seed: int,
    *,
    ordered: bool,
) -> Tuned:
    """Fit one estimator to a training fold.

    Parameters
    ----------
    seen : np.ndarray
        Features of the training fold, float (N, P).
    scans : TaskScans
        Targets and people of these N scans.
    estimator, settings, seed
        What to fit, and how.
    ordered : bool
        The features are principal components, of which the first few may do.
    """
    model = estimator.build(settings, seed)
    grid = dict(estimator.grid)
    if ordered and estimator.counts_components:
        grid[COUNT] = tuple(sorted({max(1, seen.shape[1] // 4), seen.shape[1]}))
    chosen: dict[str, Any] = {}
    words, calibration, bias = "", None, None
    with sklearn.config_context(assume_finite=True, skip_parameter_validation=True):  # for speed
        try:
            pairs = inner_folds(scans, settings, seed)
        except TaskImpossible:
            pairs, words = [], "not tuned: too few people" if settings.tune else ""
        if settings.tune and pairs:
            chosen = _best(model, grid, seen, scans.true, pairs)
            words = ", ".join(f"{name.split('__')[-1]} {v:g}" for name, v in chosen.items())
        columns = seen[:, : (count := chosen.pop(COUNT, None))]
        model.set_params(**chosen)
        if pairs and not scans.classes:
            apart = out_of_fold(model, columns, scans.true, pairs)[:, 0]
            slope, intercept = np.polyfit(scans.true, apart, 1)
            bias = (float(intercept), float(slope))
        elif pairs and not hasattr(model, "predict_proba"):
            calibration = LogisticRegression(class_weight="balanced")
            calibration.fit(out_of_fold(model, columns, scans.true, pairs), scans.true)
        model.fit(columns, scans.true)
    return Tuned(model, count, words, calibration, bias)


def out_of_fold(
    model: BaseEstimator, features: np.ndarray, true: np.ndarray, pairs: Pairs
) -> np.ndarray:
    """Return the output (N, K) for every scan of the model fitted to the other folds."""
    parts = [_output(model.fit(features[a], true[a]), features[b]) for a, b in pairs]
    output = np.zeros((len(features), parts[0].shape[1]))
    output[np.concatenate([b for _, b in pairs])] = np.concatenate(parts)
    return output


def inner_folds(scans: TaskScans, settings: AnalysisSettings, seed: int) -> Pairs:
    """Training and held-out positions of a training fold's own folds, whole people each.

    Raises
    ------
    TaskImpossible
        If the people are too few.
    """
    fold = subject_folds(scans, settings.inner_folds, seed)
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in np.unique(fold)]


def _best(
    model: BaseEstimator, grid: dict[str, Any], seen: np.ndarray, true: np.ndarray, pairs: Pairs
) -> dict[str, Any]:
    """Parameters of the least mean error over the inner folds; among equals the simplest."""
    candidates = list(ParameterGrid(grid))
    errors = np.zeros((len(candidates), len(pairs)))
    for number, candidate in enumerate(candidates):
        parameters = dict(candidate)
        columns = seen[:, : parameters.pop(COUNT, None)]
        model.set_params(**parameters)
        for fold, (training, held_out) in enumerate(pairs):
            model.fit(columns[training], true[training])
            errors[number, fold] = _error(model, columns[held_out], true[held_out])
    return dict(candidates[errors.mean(axis=1).argmin()])


def _output(model: BaseEstimator, features: np.ndarray) -> np.ndarray:
    """Probabilities or distances (N, K) of the classes, or the number predicted (N, 1)."""
    if not hasattr(model, "classes_"):
        return model.predict(features).reshape(-1, 1)
    if not _gives_distances(model):
        return model.predict_proba(features)
    found = model.decision_function(features)
    return np.stack([-found, found], axis=1) if found.ndim == 1 else found


def _gives_distances(model: BaseEstimator) -> bool:
    return hasattr(model, "classes_") and not hasattr(model, "predict_proba")


def _error(model: BaseEstimator, features: np.ndarray, true: np.ndarray) -> float:
    """Absolute error, or Brier's with every class weighing the same, or what the AUC lacks."""
    output = _output(model, features)
    if not hasattr(model, "classes_"):
        return mean_absolute_error(true, output[:, 0])
    if _gives_distances(model):
        area = mean_roc_auc(true, output)
        return 0.5 if np.isnan(area) else 1 - area
    squares = np.sum((output - (model.classes_ == true[:, None])) ** 2, axis=1)
    return float(np.average(squares, weights=compute_sample_weight("balanced", true)))
