"""Models that a task may be given to, by name, each with what is tried of it.

Classes weigh the same in every classifier but `knn`, which has no weights.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC
from sklearn.utils.class_weight import compute_sample_weight

from brainlapse.analysis.settings import AnalysisSettings, TaskSettings


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


class Neighbours(KNeighborsClassifier):
    """The nearest neighbours, as many as there are where fewer were seen than asked for."""

    def kneighbors(
        self,
        X: np.ndarray,  # noqa: N803 (the name is scikit-learn's)
        n_neighbors: int | None = None,
        return_distance: bool = True,
    ) -> Any:
        """Distances and positions of the neighbours of ``X`` (N, P)."""
        wanted = min(n_neighbors or self.n_neighbors, self.n_samples_fit_)
        return super().kneighbors(X, wanted, return_distance)


class BalancedNetwork(MLPClassifier):
    """A perceptron in whose fit all classes weigh the same."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> "BalancedNetwork":  # noqa: N803
        """Fit to ``X`` (N, P) and classes ``y`` (N,)."""
        return super().fit(X, y, sample_weight=compute_sample_weight("balanced", y))


def _logistic(settings: AnalysisSettings, seed: int) -> BaseEstimator:
    return LogisticRegression(
        C=settings.logistic_inverse_penalty, class_weight="balanced", max_iter=5000
    )


def _linear_svm(settings: AnalysisSettings, seed: int) -> BaseEstimator:
    return LinearSVC(C=0.1, dual=False, class_weight="balanced", max_iter=5000)


def _rbf_svm(settings: AnalysisSettings, seed: int) -> BaseEstimator:
    return SVC(C=1.0, class_weight="balanced")


def _random_forest(settings: AnalysisSettings, seed: int) -> BaseEstimator:
    return RandomForestClassifier(
        n_estimators=100, min_samples_leaf=5, class_weight="balanced", random_state=seed
    )


def _knn(settings: AnalysisSettings, seed: int) -> BaseEstimator:
    return Neighbours(n_neighbors=9, algorithm="kd_tree")


def _mlp_of_classes(settings: AnalysisSettings, seed: int) -> BaseEstimator:
    return BalancedNetwork(**_MLP, random_state=seed)


def _boosting_of_classes(settings: AnalysisSettings, seed: int) -> BaseEstimator:
    return HistGradientBoostingClassifier(
        max_leaf_nodes=8, early_stopping=False, class_weight="balanced", random_state=seed
    )


def _ridge(settings: AnalysisSettings, seed: int) -> BaseEstimator:
    return Ridge(alpha=settings.ridge_penalty)


def _svr(settings: AnalysisSettings, seed: int) -> BaseEstimator:
    return TransformedTargetRegressor(SVR(C=1.0), transformer=StandardScaler())


def _mlp_of_numbers(settings: AnalysisSettings, seed: int) -> BaseEstimator:
    network = MLPRegressor(**_MLP, random_state=seed)
    return TransformedTargetRegressor(network, transformer=StandardScaler())


def _boosting_of_numbers(settings: AnalysisSettings, seed: int) -> BaseEstimator:
    return HistGradientBoostingRegressor(max_leaf_nodes=8, early_stopping=False, random_state=seed)


_MLP = {"hidden_layer_sizes": (16,), "solver": "lbfgs", "alpha": 1.0, "max_iter": 2000}
_PENALTIES = (100.0, 10.0, 1.0, 0.1)
_BOOSTING = {"learning_rate": (0.03, 0.1), "min_samples_leaf": (20, 5)}

CLASSIFIERS = {
    "logistic": Estimator(_logistic, {"C": (0.001, 0.01, 0.1, 1.0, 10.0, 100.0)}),
    "linear_svm": Estimator(_linear_svm, {"C": (0.001, 0.01, 0.1, 1.0, 10.0)}),
    "rbf_svm": Estimator(_rbf_svm, {"C": (0.1, 1.0, 10.0, 100.0)}),
    "random_forest": Estimator(_random_forest, {"min_samples_leaf": (20, 5, 1)}, False),
    "knn": Estimator(_knn, {"n_neighbors": (31, 15, 9, 5, 3)}),
    "mlp": Estimator(_mlp_of_classes, {"alpha": _PENALTIES}),
    "gradient_boosting": Estimator(_boosting_of_classes, _BOOSTING, False),
}
REGRESSORS = {
    "ridge": Estimator(_ridge, {"alpha": (1000.0, 100.0, 10.0, 1.0, 0.1, 0.01, 0.001)}),
    "svr": Estimator(_svr, {"regressor__C": (0.1, 1.0, 10.0, 100.0)}),
    "mlp": Estimator(_mlp_of_numbers, {"regressor__alpha": _PENALTIES}),
    "gradient_boosting": Estimator(_boosting_of_numbers, _BOOSTING, False),
}


def estimators_of(task: TaskSettings, settings: AnalysisSettings) -> dict[str, Estimator]:
    """Return the estimators of a task by name, the main one first."""
    if task.kind == "classification":
        return {name: CLASSIFIERS[name] for name in task.estimators or settings.classifiers}
    return {name: REGRESSORS[name] for name in task.estimators or settings.regressors}
