"""A model fitted to one training fold, its penalty chosen by inner folds of that fold alone."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import sklearn
from sklearn.base import BaseEstimator
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import ParameterGrid
from sklearn.utils.class_weight import compute_sample_weight

from brainlapse.analysis.estimators import Estimator
from brainlapse.analysis.folds import TaskImpossible, TaskScans, subject_folds
from brainlapse.analysis.settings import AnalysisSettings

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
    """

    model: BaseEstimator
    count: int | None
    chosen: str

    def output(self, features: np.ndarray) -> np.ndarray:
        """Class probabilities (N, K), or the number predicted (N, 1), of features (N, P)."""
        return _output(self.model, features[:, : self.count])


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
    words = ""
    with sklearn.config_context(assume_finite=True, skip_parameter_validation=True):  # for speed
        if settings.tune and grid:
            try:
                pairs = inner_folds(scans, settings, seed)
            except TaskImpossible:
                words = "not tuned: too few people"
            else:
                chosen = _best(model, grid, seen, scans.true, pairs)
                words = ", ".join(f"{name} {value:g}" for name, value in chosen.items())
        count = chosen.pop(COUNT, None)
        model.set_params(**chosen).fit(seen[:, :count], scans.true)
    return Tuned(model, count, words)


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
    found = model.predict_proba(features) if _classifies(model) else model.predict(features)
    return found.reshape(len(features), -1)


def _classifies(model: BaseEstimator) -> bool:
    return hasattr(model, "classes_")


def _error(model: BaseEstimator, features: np.ndarray, true: np.ndarray) -> float:
    """Absolute error, or Brier's with every class weighing the same."""
    output = _output(model, features)
    if not _classifies(model):
        return mean_absolute_error(true, output[:, 0])
    squares = np.sum((output - (model.classes_ == true[:, None])) ** 2, axis=1)
    return float(np.average(squares, weights=compute_sample_weight("balanced", true)))
