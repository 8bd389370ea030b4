"""The fitted mixed model, and what it says of a person after any number of scans."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np

from brainlapse.aging.mixed.design import Covariates, Design, build_design
from brainlapse.aging.mixed.fit import Variances, apply, maximise, random_posterior
from brainlapse.aging.mixed.statistics import Layout, lay_out, stack_values, sum_up
from brainlapse.aging.mixed.walk import residual_covariance, walk_covariance
from brainlapse.aging.people import Person

CELLS_PER_BLOCK = 2**15  # people x elements worked on at a time: what fits the processor's cache
WALK_RATIOS = (0.0, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)  # walk per year over noise
ELEMENTS_FOR_WALK = 256


@dataclass(frozen=True)
class MixedSettings:
    """How the model is fitted.

    Attributes
    ----------
    covariates
        Of level and rate.
    walk_ratio
        Variance of the walk per year over that of the noise; None: chosen by likelihood.
    tolerance
        Rise of the log-likelihood that ends the fit.
    max_passes
        Passes over the people, at most.
    threads
        Blocks worked on at the same time.
    """

    covariates: Covariates = field(default_factory=Covariates)
    walk_ratio: float | None = None
    tolerance: float = 1e-6
    max_passes: int = 3000
    threads: int = 1


@dataclass(frozen=True)
class MixedModel:
    """Fitted parameters of p elements.

    Attributes
    ----------
    design
        Fixed effects.
    walk_ratio
        Variance of the walk per year over that of the noise.
    beta
        (q, p).
    variances
        (p,) each.
    log_likelihood
        (p,), of the training people.
    """

    design: Design
    walk_ratio: float
    beta: np.ndarray
    variances: Variances
    log_likelihood: np.ndarray

    def only(self, elements: np.ndarray) -> "MixedModel":
        """Return the model of some elements."""
        return replace(
            self,
            beta=self.beta[:, elements],
            variances=Variances(*self.variances.stacked()[:, elements]),
            log_likelihood=self.log_likelihood[elements],
        )


@dataclass(frozen=True)
class Prediction:
    """Gaussian values at m asked ages, independent from element to element.

    Attributes
    ----------
    mean
        (m, p).
    covariance
        Between the asked ages, (m, m, p).
    distance
        Squared Mahalanobis distance of the scans given from what was expected, (p,).
    """

    mean: np.ndarray
    covariance: np.ndarray
    distance: np.ndarray


def fit_mixed(people: Sequence[Person], settings: MixedSettings) -> MixedModel:
    """Fit the model to training people; everyone counts, those with one scan for the level."""
    design = build_design(people, settings.covariates)
    ratio = settings.walk_ratio
    if ratio is None:
        ratio = choose_walk(people, design, settings)
    layout = lay_out(people, design, ratio)
    n_elements = people[0].values.shape[1]
    size = max(8, CELLS_PER_BLOCK // layout.n_people)
    blocks = [slice(start, start + size) for start in range(0, n_elements, size)]
    with ThreadPoolExecutor(settings.threads) as pool:
        parts = list(pool.map(lambda block: _fit_block(layout, people, block, settings), blocks))
    variances = np.concatenate([part[0].stacked() for part in parts], axis=1)
    return MixedModel(
        design=design,
        walk_ratio=ratio,
        beta=np.concatenate([part[1] for part in parts], axis=1),
        variances=Variances(*variances),
        log_likelihood=np.concatenate([part[2] for part in parts]),
    )


def choose_walk(people: Sequence[Person], design: Design, settings: MixedSettings) -> float:
    """Choose the walk's ratio of `WALK_RATIOS` by the likelihood of all (or some) elements."""
    n_elements = people[0].values.shape[1]
    chosen = np.linspace(0, n_elements - 1, min(n_elements, ELEMENTS_FOR_WALK)).astype(int)
    values = np.concatenate([person.values[:, chosen] for person in people])
    likelihoods = []
    for ratio in WALK_RATIOS:
        layout = lay_out(people, design, ratio)
        _, fitted = maximise(
            layout, sum_up(layout, values), settings.tolerance, settings.max_passes
        )
        likelihoods.append(fitted.log_likelihood.sum())
    return WALK_RATIOS[int(np.argmax(likelihoods))]


def _fit_block(
    layout: Layout, people: Sequence[Person], block: slice, settings: MixedSettings
) -> tuple[Variances, np.ndarray, np.ndarray]:
    sums = sum_up(layout, stack_values(people, block))
    variances, fitted = maximise(layout, sums, settings.tolerance, settings.max_passes)
    return variances, fitted.beta, fitted.log_likelihood


def predict(
    model: MixedModel, person: Person, ages_years: np.ndarray, with_noise: bool
) -> Prediction:
    """Forecast a person at some ages from the scans given, in closed form.

    Parameters
    ----------
    person
        One scan or more.
    ages_years
        Asked ages (m,), not before the first scan.
    with_noise
        Whether the noise of a new scan counts: yes for what will be observed, no for the brain.

    Returns
    -------
    Prediction
        Mean and covariance.
    """
    first = person.ages_years[0]
    time, asked = person.ages_years - first, np.asarray(ages_years, dtype=float) - first
    layout = lay_out([person], model.design, model.walk_ratio)
    posterior, _ = random_posterior(layout.gram, model.variances)  # (3, 1, p)
    values = person.values.astype(np.float64)
    expected = model.design.rows(person, person.ages_years) @ model.beta
    random = (layout.weights @ (values - expected)).reshape(2, 1, -1)
    effect = apply(posterior, random)[:, 0] / model.variances.noise  # (2, p)
    columns = np.column_stack([np.ones_like(time), time])
    inside = residual_covariance(time, model.walk_ratio)
    kept = np.linalg.solve(inside, walk_covariance(time, asked, model.walk_ratio))  # (k, m)
    asked_columns = np.column_stack([np.ones_like(asked), asked])
    mean = model.design.rows(person, ages_years) @ model.beta + asked_columns @ effect
    left = values - expected
    mean = mean + kept.T @ (left - columns @ effect)
    distance = (left * np.linalg.solve(inside, left)).sum(axis=0) - (effect * random[:, 0]).sum(0)
    covariance = _covariance(model, posterior[:, 0], asked_columns - kept.T @ columns)
    residual = walk_covariance(asked, asked, model.walk_ratio)
    residual = residual - walk_covariance(asked, time, model.walk_ratio) @ kept
    residual = residual + np.eye(len(asked)) * with_noise
    covariance = covariance + residual[:, :, None] * model.variances.noise
    return Prediction(mean, covariance, distance / model.variances.noise)


def _covariance(model: MixedModel, posterior: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Spread the random effects' covariance (3, p) over rows (m, 2): (m, m, p)."""
    matrix = posterior[[0, 1, 1, 2]].reshape(2, 2, -1)
    return np.einsum("ia,abp,jb->ijp", columns, matrix, columns)
