"""Directions in which latents change as a whole, against how single scans scatter."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from brainlapse.aging.people import Person

SURPLUS = 2  # directions looked at for each one kept
SHRINKAGE = 0.2  # of the scatter of single scans towards independence
PEOPLE_PER_AXIS = 3
LEAST_SCATTER = 1e-2  # of a scan, over the change that a rate adds up to between scans


@dataclass(frozen=True)
class Axes:
    """Directions, and how scans are expressed in them.

    Attributes
    ----------
    directions
        Latents per unit of score, (p, K).
    readers
        Scores per unit of latents, (p, K); their product with the directions is the identity.
    """

    directions: np.ndarray
    readers: np.ndarray

    def split(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Part values (k, p) into scores (k, K) and what the directions leave, float32 (k, p)."""
        scores = values @ self.readers
        return scores.astype(np.float64), values - (scores @ self.directions.T)

    def join(self, scores: np.ndarray, rest: np.ndarray) -> np.ndarray:
        """Undo `split`."""
        return scores @ self.directions.T.astype(np.float64) + rest


def find_axes(people: Sequence[Person], count: int) -> Axes:
    """Find the directions in which people's rates differ most, over the scatter of single scans.

    Principal axes of the rates (each weighted by the person's spread of ages), elements in units
    of the scatter of single scans; in these, rates and scatter are made uncorrelated at once.

    Parameters
    ----------
    people
        Training people seen at two ages.
    count
        Directions wanted; fewer where there are few people.
    """
    count = max(1, min(count, len(people) // PEOPLE_PER_AXIS))
    rates, residual_squares, freedom = _rates(people)
    unit = np.sqrt(residual_squares / freedom) if freedom else np.std(rates, axis=0)
    unit = np.maximum(unit, LEAST_SCATTER * max(float(np.sqrt(np.mean(rates**2))), 1e-6))
    rates /= unit
    gram = (rates @ rates.T).astype(np.float64)
    size = min(SURPLUS * count, len(people))
    _, vectors = linalg.eigh(gram, subset_by_index=(len(people) - size, len(people) - 1))
    basis, _ = np.linalg.qr(rates.T @ vectors.astype(np.float32))  # (p, size)
    turned = _uncorrelated(rates @ basis, _scatter(people, basis / unit[:, None]), count)
    back = np.linalg.pinv(turned).T  # (size, count)
    return Axes(directions=(basis * unit[:, None]) @ back, readers=(basis / unit[:, None]) @ turned)


def _rates(people: Sequence[Person]) -> tuple[np.ndarray, np.ndarray, int]:
    """Rates times the root of the ages' sum of squares, (N, p) float32; residual squares."""
    rates = np.empty((len(people), people[0].values.shape[1]), dtype=np.float32)
    residual_squares = np.zeros(rates.shape[1])
    freedom = 0
    for row, person in enumerate(people):
        values = person.values - person.values.mean(axis=0)
        centred = person.ages_years - person.ages_years.mean()
        unit_age = (centred / np.linalg.norm(centred)).astype(np.float32)
        rates[row] = unit_age @ values
        residual_squares += (values**2).sum(axis=0) - rates[row] ** 2
        freedom += len(values) - 2
    return rates, np.maximum(residual_squares, 0), freedom


def _scatter(people: Sequence[Person], readers: np.ndarray) -> np.ndarray:
    """Covariance of single scans around each person's line, in some directions (size, size)."""
    size = readers.shape[1]
    total, freedom = np.zeros((size, size)), 0
    for person in people:
        scores = (person.values @ readers).astype(np.float64)
        columns = np.column_stack([np.ones(len(scores)), person.ages_years])
        left = scores - columns @ np.linalg.lstsq(columns, scores, rcond=None)[0]
        total += left.T @ left
        freedom += len(scores) - 2
    if freedom < size:
        return np.eye(size)
    covariance = total / freedom
    middle = np.trace(covariance) / size
    least = SHRINKAGE * middle + LEAST_SCATTER**2
    return (1 - SHRINKAGE) * covariance + least * np.eye(size)


def _uncorrelated(rates: np.ndarray, scatter: np.ndarray, count: int) -> np.ndarray:
    """Directions (size, count) with the most variance of rates over scatter."""
    spread = rates.T.astype(np.float64) @ rates / len(rates)
    _, vectors = linalg.eigh(spread, scatter)
    return vectors[:, ::-1][:, :count]
