"""Means over subjects, and how sure they are."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from brainlapse.cohort.tables import PERSON

RESAMPLES = 2000
MIN_SUBJECTS = 3  # fewer give no interval


@dataclass(frozen=True)
class Estimate:
    """Mean over subjects and its 95 % interval, NaN for few subjects."""

    mean: float
    low: float
    high: float
    n_subjects: int


def over_subjects(rows: pd.DataFrame, column: str) -> Estimate:
    """Mean over subjects of each subject's mean, with a percentile bootstrap over subjects.

    Parameters
    ----------
    rows
        dataset, subject and the column, without missing values; one row at least.
    """
    means = rows.groupby(PERSON, sort=True)[column].mean().to_numpy(dtype=float)
    if len(means) < MIN_SUBJECTS:
        return Estimate(float(means.mean()), np.nan, np.nan, len(means))
    picks = np.random.default_rng(0).integers(0, len(means), (RESAMPLES, len(means)))
    low, high = np.percentile(means[picks].mean(axis=1), [2.5, 97.5])
    return Estimate(float(means.mean()), float(low), float(high), len(means))
