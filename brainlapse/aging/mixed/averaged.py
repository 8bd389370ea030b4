"""Heavy-tailed mixed model, averaged over what a few visits can't tell: how much rates differ.

With two or three visits a person the likelihood hardly knows the spread of rates between people
from the walk of single scans, and the best guess of it alone would trust a person's own rate too
much. The spread is therefore put on a grid, from none to all of the scatter of the rates that are
seen, together with the walk and the degrees of freedom, and the forecasts are averaged, weighted
by likelihood times prior. The prior of the spread falls exponentially (Simpson et al. 2017): the
true rates differ by more than what is seen, noise included, with a probability of 5 %.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import special, stats

from brainlapse.aging.mixed.design import Covariates, build_design
from brainlapse.aging.mixed.fit import LEAST_VARIANCE, Variances
from brainlapse.aging.mixed.heavy import fit_heavy, sum_people
from brainlapse.aging.mixed.model import MixedModel, predict
from brainlapse.aging.mixed.statistics import lay_out
from brainlapse.aging.people import Person

SPREADS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)  # of the true rates, over that of those seen
WALKS = (0.0, 1.0, 10.0, 100.0)  # variance of the walk per year, over that of the noise
FREEDOMS = (3.0, 6.0, 15.0)
PRIOR_RATE = -np.log(0.05)
TOLERANCE = 1e-3  # of the log-likelihood: weights of the average need no more
MAX_PASSES = 500
BISECTIONS = 32  # of a range of some ten spreads: to 1e-8 of a spread
NORMAL_MAD = 1.4826  # standard deviation over median absolute deviation


@dataclass(frozen=True)
class AveragedModel:
    """Models on a grid; of walks one after the other, the rest of the grid as elements.

    Attributes
    ----------
    models
        One per walk; elements are columns, the p elements of the first grid point first.
    freedom
        Degrees of freedom of the columns, (columns,).
    weights
        Of each walk, grid point and element, (walks, points, p), sum 1 over the first two.
    """

    models: tuple[MixedModel, ...]
    freedom: np.ndarray
    weights: np.ndarray

    @property
    def size(self) -> int:
        """Number of elements, p."""
        return self.weights.shape[2]

    def only(self, elements: np.ndarray) -> "AveragedModel":
        """Return the model of some elements."""
        points = np.arange(self.weights.shape[1])
        columns = (points[:, None] * self.size + elements).ravel()
        return AveragedModel(
            models=tuple(model.only(columns) for model in self.models),
            freedom=self.freedom[columns],
            weights=self.weights[:, :, elements],
        )


@dataclass(frozen=True)
class Mixture:
    """Mixture of t distributions at m asked ages, for p elements.

    Attributes
    ----------
    centres
        (components, m, p).
    scales
        Scale matrices between asked ages, (components, m, m, p).
    freedom
        (components, p).
    weights
        (components, p).
    """

    centres: np.ndarray
    scales: np.ndarray
    freedom: np.ndarray
    weights: np.ndarray

    def quantile(self, probability: float) -> np.ndarray:
        """Quantile at each age, (m, p), by bisection."""
        spread = np.sqrt(np.einsum("cmmp->cmp", self.scales))
        freedom, weights = self.freedom[:, None], self.weights[:, None]
        reach = spread * stats.t.ppf(1 - 1e-6, freedom)
        low, high = (self.centres - reach).min(axis=0), (self.centres + reach).max(axis=0)
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            below = special.stdtr(freedom, (middle - self.centres) / spread) * weights
            above = below.sum(axis=0) > probability
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        return (low + high) / 2

    def variance(self) -> np.ndarray:
        """Variance at each age, (m, p)."""
        weights = self.weights[:, None]
        own = np.einsum("cmmp->cmp", self.scales) * (self.freedom / (self.freedom - 2))[:, None]
        mean = (weights * self.centres).sum(axis=0)
        return (weights * (own + (self.centres - mean) ** 2)).sum(axis=0)


def fit_averaged(people: Sequence[Person], covariates: Covariates) -> AveragedModel:
    """Fit the grid to training people, of whom some were seen at two ages."""
    design = build_design(people, covariates)
    n_elements = people[0].values.shape[1]
    scatter = _scatter_of_rates(people)
    points = list(product(SPREADS, FREEDOMS))
    columns = np.tile(np.arange(n_elements), len(points))
    spread, freedom = (np.repeat([point[axis] for point in points], n_elements) for axis in (0, 1))
    rate = (spread * scatter[columns]) ** 2
    values = np.concatenate([person.values for person in people])
    level = np.maximum(values.var(axis=0), LEAST_VARIANCE)[columns]
    start = Variances(level, np.zeros_like(level), rate, 0.01 * level)
    models, log_weights = [], []
    for walk in WALKS:
        layout = lay_out(people, design, walk)
        sums = sum_people(layout, people, columns)
        fit = fit_heavy(layout, sums, start, freedom, TOLERANCE, MAX_PASSES)
        models.append(MixedModel(design, walk, fit.beta, fit.variances, fit.log_likelihood))
        log_weights.append((fit.log_likelihood - PRIOR_RATE * spread).reshape(-1, n_elements))
        start = fit.variances
    stacked = np.stack(log_weights)
    weights = np.exp(stacked - stacked.max(axis=(0, 1)))
    return AveragedModel(tuple(models), freedom, weights / weights.sum(axis=(0, 1)))


def predict_averaged(
    model: AveragedModel, person: Person, ages_years: np.ndarray, with_noise: bool
) -> Mixture:
    """Forecast a person from any number of scans; arguments as of `predict`."""
    n_elements = model.weights.shape[2]
    columns = np.tile(np.arange(n_elements), model.weights.shape[1])
    repeated = Person(person.ages_years, person.values[:, columns], person.covariates)
    n_scans = len(person.ages_years)
    centres, scales = [], []
    for part in model.models:
        found = predict(part, repeated, ages_years, with_noise)
        stretch = (model.freedom + found.distance) / (model.freedom + n_scans)
        centres.append(found.mean)
        scales.append(found.covariance * stretch)
    m = len(np.atleast_1d(ages_years))
    shape = (-1, m, n_elements)
    return Mixture(
        centres=np.concatenate([_by_point(part, shape) for part in centres]),
        scales=np.concatenate([_by_point(part, (-1, m, m, n_elements)) for part in scales]),
        freedom=np.tile(model.freedom.reshape(-1, n_elements), (len(WALKS), 1)) + n_scans,
        weights=model.weights.reshape(-1, n_elements),
    )


def _by_point(part: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Split the last axis (points x elements) and put points first."""
    split = part.reshape(*part.shape[:-1], -1, shape[-1])
    return np.moveaxis(split, -2, 0)


def _scatter_of_rates(people: Sequence[Person]) -> np.ndarray:
    """Robust standard deviation of the people's own rates, (p,)."""
    rates = []
    for person in people:
        if person.has_two_ages:
            centred = person.ages_years - person.ages_years.mean()
            rates.append(centred @ person.values / (centred @ centred))
    deviations = np.abs(rates - np.median(rates, axis=0))
    return NORMAL_MAD * np.median(deviations, axis=0)
