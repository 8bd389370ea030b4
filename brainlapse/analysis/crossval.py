"""Cross-validated models: everything that is fitted, is fitted inside a training fold."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from brainlapse.analysis.folds import TaskScans
from brainlapse.analysis.pca import principal_components
from brainlapse.analysis.settings import AnalysisSettings


class LeadingScale(TransformerMixin, BaseEstimator):
    """Divide all components by the spread of the first, so that one penalty suits any network."""

    def fit(self, scores: np.ndarray, target: object = None) -> "LeadingScale":
        """Take the standard deviation of the first column of ``scores`` (N, K)."""
        self.scale_ = float(np.std(scores[:, 0])) or 1.0
        return self

    def transform(self, scores: np.ndarray) -> np.ndarray:
        """Scores (N, K) over that standard deviation."""
        return scores / self.scale_


def cross_validate(
    features: Any,
    scans: TaskScans,
    fold: np.ndarray,
    settings: AnalysisSettings,
    make_steps: Callable[[Any], list],
) -> np.ndarray:
    """Out-of-fold output of a model fitted on the other folds.

    Parameters
    ----------
    features : np.ndarray or pd.DataFrame
        Latents (N, P), or a table of covariates (N, columns).
    scans : TaskScans
        Targets and subjects of the N scans.
    fold : np.ndarray
        Fold of each scan, int (N,).
    settings : AnalysisSettings
        Penalties.
    make_steps : Callable
        Unfitted steps before the model, for the features of a training fold.

    Returns
    -------
    np.ndarray
        float (N, K): class probabilities, or the number predicted (K = 1).
    """
    take = features.iloc if isinstance(features, pd.DataFrame) else features
    output = np.zeros((len(fold), max(1, len(scans.classes))))
    for number in np.unique(fold):
        training, held_out = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        model = make_pipeline(*make_steps(take[training]), _estimator(scans, settings))
        model.fit(take[training], scans.true[training])
        predict = model.predict_proba if scans.classes else model.predict
        output[held_out] = predict(take[held_out]).reshape(len(held_out), -1)
    return output


def latent_steps(seen: np.ndarray, settings: AnalysisSettings, seed: int) -> list:
    """Unfitted steps for latents (N, P): scaler, principal components, one common scale."""
    n_scans, n_features = seen.shape
    pca = principal_components(n_scans, n_features, settings.task_components, seed)
    return [StandardScaler(), pca, LeadingScale()]


def covariate_steps(seen: pd.DataFrame) -> list:
    """Unfitted steps for a table of covariates: numbers are filled and scaled, names one-hot."""
    numeric = [name for name in seen if pd.api.types.is_numeric_dtype(seen[name])]
    named = [name for name in seen if name not in numeric]
    fill = SimpleImputer(strategy="mean", keep_empty_features=True)
    parts = [
        ("numeric", Pipeline([("fill", fill), ("scale", StandardScaler())]), numeric),
        ("named", OneHotEncoder(handle_unknown="ignore", sparse_output=False), named),
    ]
    return [ColumnTransformer(parts)]


def _estimator(scans: TaskScans, settings: AnalysisSettings) -> LogisticRegression | Ridge:
    if scans.classes:
        return LogisticRegression(
            C=settings.logistic_inverse_penalty, class_weight="balanced", max_iter=5000
        )
    return Ridge(alpha=settings.ridge_penalty)


def constant_output(scans: TaskScans, fold: np.ndarray) -> np.ndarray:
    """Give class shares, or the mean, of each training fold: what is known without looking."""
    output = np.zeros((len(fold), max(1, len(scans.classes))))
    for number in np.unique(fold):
        seen = scans.true[fold != number]
        shares = np.bincount(seen, minlength=len(scans.classes)) / len(seen) if scans.classes else 0
        output[fold == number] = shares if scans.classes else seen.mean()
    return output
