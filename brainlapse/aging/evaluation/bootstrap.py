"""Means over subjects, and how sure they are."""

import functools
from dataclasses import dataclass

import numpy as np
import pandas as pd

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
    return over_people(number_people(rows), rows[column].to_numpy(dtype=float))


def over_people(person: np.ndarray, values: np.ndarray) -> Estimate:
    """Do the same with values (n,) of people who are numbered from 0, (n,)."""
    means = np.bincount(person, values) / np.bincount(person)
    if len(means) < MIN_SUBJECTS:
        return Estimate(float(means.mean()), np.nan, np.nan, len(means))
    low, high = np.percentile(means[_picks(len(means))].mean(axis=1), [2.5, 97.5])
    return Estimate(float(means.mean()), float(low), float(high), len(means))


@functools.lru_cache(maxsize=4)
def _picks(count: int) -> np.ndarray:
    """People drawn with replacement, the same draws each time, (RESAMPLES, count)."""
    return np.random.default_rng(0).integers(0, count, (RESAMPLES, count))


def number_people(rows: pd.DataFrame) -> np.ndarray:
    """Return a number per row from 0, the same for one person, in order of data set and label."""
    pairs = zip(rows["dataset"], rows["subject"], strict=True)
    labels = [f"{dataset}\t{subject}" for dataset, subject in pairs]
    return np.unique(labels, return_inverse=True)[1]
