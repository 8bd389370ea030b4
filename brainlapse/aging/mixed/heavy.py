"""Mixed model with heavy tails: people whose whole course is out of the ordinary weigh less.

y = F beta + X b + e with b ~ N(0, D) / w and e ~ N(0, s2 R) / w, w ~ Gamma(nu / 2, nu / 2) of the
person: a multivariate t of nu degrees of freedom (Pinheiro, Liu and Wu 2001). The variance of the
rates is given, everything else fitted by EM.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from brainlapse.aging.mixed.fit import FLOOR, LEAST_VARIANCE, Variances, apply, random_posterior
from brainlapse.aging.mixed.statistics import Layout
from brainlapse.aging.people import Person


@dataclass(frozen=True)
class PersonSums:
    """Sums of each person, for b columns.

    Attributes
    ----------
    random
        X'R^-1 y, (2, N, b).
    fixed
        F'R^-1 y, (N, q, b).
    fixed_gram
        F'R^-1 F, (N, q, q).
    squares
        y'R^-1 y, (N, b).
    n_scans
        Of each person, (N,).
    log_det
        log det R of each person, (N,).
    """

    random: np.ndarray
    fixed: np.ndarray
    fixed_gram: np.ndarray
    squares: np.ndarray
    n_scans: np.ndarray
    log_det: np.ndarray


@dataclass(frozen=True)
class HeavyFit:
    """Fitted columns.

    Attributes
    ----------
    beta
        (q, b).
    variances
        (b,) each.
    freedom
        Degrees of freedom, (b,).
    log_likelihood
        (b,).
    """

    beta: np.ndarray
    variances: Variances
    freedom: np.ndarray
    log_likelihood: np.ndarray


def sum_people(layout: Layout, people: Sequence[Person], columns: np.ndarray) -> PersonSums:
    """Sum up each person's values of some elements, one per column."""
    n_scans = np.array([len(person.ages_years) for person in people])
    starts = np.concatenate([[0], np.cumsum(n_scans)[:-1]])
    values = np.concatenate([person.values for person in people]).astype(np.float64)
    white = layout.whitener @ values  # (scans, p)
    products = layout.white_fixed[:, :, None] * white[:, None, :]  # (scans, q, p)
    grams = layout.white_fixed[:, :, None] * layout.white_fixed[:, None, :]
    random = (layout.weights @ values).reshape(2, layout.n_people, -1)
    return PersonSums(
        random=random[:, :, columns],
        fixed=np.add.reduceat(products, starts)[:, :, columns],
        fixed_gram=np.add.reduceat(grams, starts),
        squares=np.add.reduceat(white**2, starts)[:, columns],
        n_scans=n_scans,
        log_det=layout.person_log_det,
    )


def fit_heavy(
    layout: Layout,
    sums: PersonSums,
    start: Variances,
    freedom: np.ndarray,
    tolerance: float,
    max_passes: int,
) -> HeavyFit:
    """Fit columns whose rate variance is given by the start.

    Parameters
    ----------
    start
        Variances to start from; that of the rate is kept.
    freedom
        Degrees of freedom, (b,).
    tolerance
        Rise of the log-likelihood in one pass that ends the fit.
    """
    weights = np.ones_like(sums.squares)
    floor = FLOOR * np.maximum(start.level, LEAST_VARIANCE)
    variances, before = start, np.full(freedom.shape, -np.inf)
    for _ in range(max_passes):
        fit, weights, variances = _pass(layout, sums, variances, freedom, weights, floor)
        if (fit.log_likelihood - before < tolerance).all():
            break
        before = fit.log_likelihood
    return fit


def _pass(
    layout: Layout,
    sums: PersonSums,
    variances: Variances,
    freedom: np.ndarray,
    weights: np.ndarray,
    floor: np.ndarray,
) -> tuple[HeavyFit, np.ndarray, Variances]:
    """Return the fit at these variances, the people's weights there, and the next variances."""
    noise, gram = variances.noise, layout.gram
    posterior, determinant = random_posterior(gram, variances)
    beta = _fixed_effects(layout, sums, posterior, noise, weights)
    residual = sums.random - np.matmul(layout.cross, beta)  # (2, N, b)
    left = _squared_residuals(sums, beta)
    effect = apply(posterior, residual) / noise
    distance = np.maximum(left - (effect * residual).sum(axis=0), 0) / noise  # (N, b)
    weights = (freedom + sums.n_scans[:, None]) / (freedom + distance)
    likelihood = _log_likelihood(sums, distance, np.log(determinant), noise, freedom)
    products = np.stack([effect[0] ** 2, effect[0] * effect[1], effect[1] ** 2])
    second = (weights * products + posterior).mean(axis=1)
    remaining = left - 2 * (effect * residual).sum(axis=0)
    remaining = remaining + (effect * apply(gram, effect)).sum(axis=0)
    trace = (gram[[0, 2]] * posterior[[0, 2]]).sum(axis=(0, 1))
    trace = trace + 2 * (gram[1] * posterior[1]).sum(axis=0)
    new_noise = ((weights * remaining).sum(axis=0) + trace) / sums.n_scans.sum()
    updated = _with_rate(second, variances.rate, np.maximum(new_noise, floor))
    return HeavyFit(beta, variances, freedom, likelihood), weights, updated


def _with_rate(second: np.ndarray, rate: np.ndarray, noise: np.ndarray) -> Variances:
    """Second moments of level and rate (3, b) as variances whose rate's is given."""
    slope = np.where(rate > 0, second[1] / np.where(rate > 0, second[2], 1), 0)
    rest = second[0] - np.where(rate > 0, second[1] * slope, 0)
    return Variances(rest + slope**2 * rate, slope * rate, rate, noise)


def _fixed_effects(
    layout: Layout,
    sums: PersonSums,
    posterior: np.ndarray,
    noise: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    level, rate = layout.cross  # (N, q)
    shrunk = apply(posterior, sums.random) / noise * weights
    right = np.einsum("nqb,nb->qb", sums.fixed, weights)
    right = right - level.T @ shrunk[0] - rate.T @ shrunk[1]
    normal = np.einsum("nqr,nb->bqr", sums.fixed_gram, weights)
    parts = posterior / noise * weights
    for (a, c), part in zip(((level, level), (rate, rate)), parts[[0, 2]], strict=True):
        normal = normal - np.einsum("nq,nr,nb->bqr", a, c, part, optimize=True)
    mixed = np.einsum("nq,nr,nb->bqr", level, rate, parts[1], optimize=True)
    normal = normal - mixed - mixed.transpose(0, 2, 1)
    return np.linalg.solve(normal, right.T[..., None])[..., 0].T


def _squared_residuals(sums: PersonSums, beta: np.ndarray) -> np.ndarray:
    cross = np.einsum("qb,nqb->nb", beta, sums.fixed)
    quadratic = np.einsum("qb,nqr,rb->nb", beta, sums.fixed_gram, beta, optimize=True)
    return sums.squares - 2 * cross + quadratic


def _log_likelihood(
    sums: PersonSums,
    distance: np.ndarray,
    log_det: np.ndarray,
    noise: np.ndarray,
    freedom: np.ndarray,
) -> np.ndarray:
    n = sums.n_scans[:, None]
    total = gammaln((freedom + n) / 2) - gammaln(freedom / 2) - n / 2 * np.log(np.pi * freedom)
    total = total - 0.5 * (n * np.log(noise) + log_det + sums.log_det[:, None])
    return (total - (freedom + n) / 2 * np.log1p(distance / freedom)).sum(axis=0)
