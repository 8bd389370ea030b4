"""Designs of linear models: groups as columns, and whether some columns are those of others."""

import numpy as np
import pandas as pd

NEARLY = 0.9  # share of a column that others explain, from which on they are not told apart
TOLERANCE = 1e-8


def dummies(values: pd.Series) -> np.ndarray:
    """Return a column of 0 and 1 for each value, in order, float (N, K)."""
    return pd.get_dummies(values.astype(str)).to_numpy(float)


def less_means(columns: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Return columns (N, K) less the mean of each person (N,): what changes within people."""
    frame = pd.DataFrame(columns)
    return (frame - frame.groupby(people).transform("mean")).to_numpy(float)


def left_over(columns: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return what a linear combination of other columns (N, L) leaves of columns (N, K)."""
    return columns - others @ np.linalg.lstsq(others, columns, rcond=TOLERANCE)[0]


def is_deficient(columns: np.ndarray, others: np.ndarray) -> bool:
    """Tell whether the rank of both together is lower than the sum of their ranks."""
    ranks = [_rank(part) for part in (np.hstack([columns, others]), columns, others)]
    return ranks[0] < ranks[1] + ranks[2]


def largest_share(columns: np.ndarray, others: np.ndarray) -> float:
    """Return the largest share of a column's sum of squares that other columns explain."""
    squares = np.sum(columns**2, axis=0)
    kept = squares > TOLERANCE
    left = np.sum(left_over(columns, others)[:, kept] ** 2, axis=0)
    return float(np.max(1 - left / squares[kept], initial=0.0))


def visit_columns(scans: pd.DataFrame, people: np.ndarray) -> np.ndarray:
    """Return what time may do to all people alike, within people, float (N, K).

    A column for each visit, by the name of its session where people share these, else by order;
    and the years since the first visit.

    Parameters
    ----------
    scans
        age_years and session.
    people
        Whose each scan is (N,).
    """
    years = scans["age_years"].to_numpy(float)
    since = years - pd.Series(years).groupby(people).transform("min").to_numpy()
    order = pd.Series(years).groupby(people).rank(method="first").astype(int)
    names = scans["session"].astype(str).reset_index(drop=True)
    twice = pd.DataFrame({"person": people, "name": names}).duplicated().any()
    shared = names.nunique() <= 2 * order.max() and not twice
    columns = np.column_stack([dummies(names if shared else order), since])
    return less_means(columns, people)


def _rank(columns: np.ndarray) -> int:
    return int(np.linalg.matrix_rank(columns, tol=TOLERANCE * max(1.0, np.abs(columns).max())))
