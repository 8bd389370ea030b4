"""Models that a task may be given to, by name, each with what is tried of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression, Ridge

from brainlapse.analysis.settings import AnalysisSettings


@dataclass(frozen=True)
class Estimator:
    """One kind of model.

    Attributes
    ----------
    build : Callable
        Unfitted model of scikit-learn from settings and seed; what is used without tuning.
    grid : dict[str, tuple]
        Values tried of each parameter, the simplest model first: it is taken among equals.
    counts_components : bool
        Try fewer principal components as well; of no use where the model weighs them itself.
    """

    build: Callable[[AnalysisSettings, int], BaseEstimator]
    grid: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    counts_components: bool = True


def _logistic(settings: AnalysisSettings, seed: int) -> BaseEstimator:
    return LogisticRegression(
        C=settings.logistic_inverse_penalty, class_weight="balanced", max_iter=5000
    )


def _ridge(settings: AnalysisSettings, seed: int) -> BaseEstimator:
    return Ridge(alpha=settings.ridge_penalty)


CLASSIFIERS = {"logistic": Estimator(_logistic, {"C": (0.001, 0.01, 0.1, 1.0, 10.0, 100.0)})}
REGRESSORS = {"ridge": Estimator(_ridge, {"alpha": (1000.0, 100.0, 10.0, 1.0, 0.1, 0.01, 0.001)})}
