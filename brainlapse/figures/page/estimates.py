"""Means over subjects with bootstrap intervals, and what they say of a difference."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

RESAMPLES = 2000
MIN_SUBJECTS = 3  # fewer give no interval


@dataclass(frozen=True)
class Estimate:
    """A mean over subjects with its 95 % interval; no interval for few subjects."""

    value: float
    low: float | None
    high: float | None
    subjects: int

    def words(self, unit: str = "", digits: int = 1) -> str:
        """Return value and interval as words."""
        text = f"{self.value:.{digits}f}{unit}"
        if self.low is None or self.high is None:
            return text
        return f"{text} ({self.low:.{digits}f} to {self.high:.{digits}f})"


def verdict(difference: Estimate) -> str:
    """Return better, worse or not told apart, by the interval of the difference."""
    if difference.low is None or difference.high is None:
        return "too few subjects"
    if difference.high < 0:
        return "better"
    return "worse" if difference.low > 0 else "not told apart"


def estimate(values: pd.Series, subjects: pd.Series) -> Estimate:
    """Return the mean over subjects of each subject's mean, with a bootstrap over subjects."""
    means = values.groupby(subjects).mean().to_numpy(dtype=float)
    if len(means) < MIN_SUBJECTS:
        return Estimate(float(means.mean()), None, None, len(means))
    picks = np.random.default_rng(0).integers(0, len(means), (RESAMPLES, len(means)))
    low, high = np.percentile(means[picks].mean(axis=1), [2.5, 97.5])
    return Estimate(float(means.mean()), float(low), float(high), len(means))
