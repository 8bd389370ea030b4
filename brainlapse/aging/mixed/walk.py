"""Deviation of single scans from a person's line: independent noise, and a walk that stays.

Deviations of real ventricles from a straight line persist from visit to visit: consecutive rates
of a person are not anticorrelated, as independent noise would make them. The deviation is noise
of variance s2 plus a Brownian walk from the first scan on, of variance s2 * ratio per year.
"""

import numpy as np


def walk_covariance(first: np.ndarray, second: np.ndarray, ratio: float) -> np.ndarray:
    """Return the walk's covariance over s2 between times (m,) and (n,) since the first scan."""
    return ratio * np.minimum.outer(np.maximum(first, 0), np.maximum(second, 0))


def residual_covariance(time_years: np.ndarray, ratio: float) -> np.ndarray:
    """Return the covariance of noise and walk over s2, (k, k), at times since the first scan."""
    return np.eye(len(time_years)) + walk_covariance(time_years, time_years, ratio)
