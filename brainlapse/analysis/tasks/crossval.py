"""Cross-validated models: everything that is fitted, is fitted inside a training fold."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from brainlapse.analysis.pca import principal_components
from brainlapse.analysis.settings import AnalysisSettings
from brainlapse.analysis.tasks.estimators import Estimator
from brainlapse.analysis.tasks.folds import TaskScans
from brainlapse.analysis.tasks.splits import Split
from brainlapse.analysis.tasks.tuning import fit_tuned


class LeadingScale(TransformerMixin, BaseEstimator):
    """Divide all components by the spread of the first, so that one penalty suits any network."""

    def fit(self, scores: np.ndarray, target: object = None) -> "LeadingScale":
        """Take the standard deviation of the first column of ``scores`` (N, K)."""
        self.scale_ = float(np.std(scores[:, 0])) or 1.0
        return self

    def transform(self, scores: np.ndarray) -> np.ndarray:
        """Scores (N, K) over that standard deviation."""
        return scores / self.scale_


@dataclass(frozen=True)
class FoldData:
    """One split with its features, float (n, K), made by steps fitted on its training scans."""

    split: Split
    seen: np.ndarray
    held_out: np.ndarray


@dataclass(frozen=True)
class Output:
    """What models fitted on other scans say.

    Attributes
    ----------
    values : np.ndarray
        float (N, K): class probabilities, or the number predicted (K = 1); NaN where no split
        holds a scan out.
    corrected : np.ndarray
        float (N,): the number predicted without its pull to the mean, NaN where unknown.
    chosen : list[str]
        What was chosen in each split, in words.
    """

    values: np.ndarray
    corrected: np.ndarray
    chosen: list[str]


def prepare_folds(
    features: Any, splits: list[Split], make_steps: Callable[[Any], list]
) -> list[FoldData]:
    """Fit the steps before the model, once per split, without a look at the targets.

    Parameters
    ----------
    features : np.ndarray or pd.DataFrame
        Latents (N, P), or a table of covariates (N, columns).
    splits : list[Split]
        Folds.
    make_steps : Callable
        Unfitted steps for the features of a training fold.
    """
    take = features.iloc if isinstance(features, pd.DataFrame) else features
    prepared = []
    for split in splits:
        steps = make_pipeline(*make_steps(take[split.training]))
        seen = steps.fit_transform(take[split.training])
        prepared.append(FoldData(split, seen, steps.transform(take[split.held_out])))
    return prepared


def without(prepared: list[FoldData], known: list[FoldData]) -> list[FoldData]:
    """Take out of the features what the covariates tell of them, as learnt from training scans.

    Parameters
    ----------
    prepared : list[FoldData]
        Folds with the features.
    known : list[FoldData]
        The same folds with the covariates.
    """
    left = []
    for data, covariates in zip(prepared, known, strict=True):
        told = LinearRegression().fit(covariates.seen, data.seen)
        left.append(
            FoldData(
                data.split,
                data.seen - told.predict(covariates.seen),
                data.held_out - told.predict(covariates.held_out),
            )
        )
    return left


def cross_validate(
    prepared: list[FoldData],
    scans: TaskScans,
    estimator: Estimator,
    settings: AnalysisSettings,
    seed: int,
    *,
    ordered: bool = False,
) -> Output:
    """Output for every held-out scan of a model that was fitted and tuned without it.

    Parameters
    ----------
    prepared : list[FoldData]
        Folds with their features.
    scans : TaskScans
        Targets and subjects of all N scans.
    estimator, settings, seed
        What to fit, and how.
    ordered : bool
        The features are principal components, of which the first few may do.
    """
    values = np.full((len(scans.true), max(1, len(scans.classes))), np.nan)
    corrected = np.full(len(values), np.nan)
    words = []
    for data in prepared:
        mine = scans.subset(data.split.training)
        tuned = fit_tuned(data.seen, mine, estimator, settings, seed, ordered=ordered)
        values[data.split.held_out] = tuned.output(data.held_out)
        corrected[data.split.held_out] = tuned.corrected(values[data.split.held_out, 0])
        words.append(tuned.chosen)
    return Output(values, corrected, words)


def latent_steps(seen: np.ndarray, settings: AnalysisSettings, seed: int) -> list:
    """Unfitted steps for latents (N, P): principal components, one common scale.

    Elements keep their spread: scaled to one, those of the `pca` family, which vary apart, would
    leave no direction that comes first.
    """
    n_scans, n_features = seen.shape
    pca = principal_components(n_scans, n_features, settings.task_components, seed)
    return [pca, LeadingScale()]


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


def constant_output(scans: TaskScans, splits: list[Split]) -> Output:
    """Give class shares, or the mean, of each training fold: what is known without looking."""
    output = np.full((len(scans.true), max(1, len(scans.classes))), np.nan)
    for split in splits:
        seen = scans.true[split.training]
        shares = np.bincount(seen, minlength=len(scans.classes)) / len(seen) if scans.classes else 0
        output[split.held_out] = shares if scans.classes else seen.mean()
    return Output(output, np.full(len(output), np.nan), [""] * len(splits))
