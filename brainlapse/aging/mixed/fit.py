"""Maximum likelihood of the mixed model, element by element: EM, accelerated.

y = F beta + X b + e, b ~ N(0, D) of level and rate, e ~ N(0, s2 R). Expectation and maximisation
as in Laird and Ware (1982), the fixed effects by generalised least squares in every step; two
steps at a time are extrapolated by the squared scheme S3 of Varadhan and Roland (2008), in the
logarithm of s2 and the log-Cholesky factor of D. An extrapolation that lowers the likelihood is
not taken, so the likelihood rises from step to step.
"""

from dataclasses import dataclass

import numpy as np

from brainlapse.aging.mixed.statistics import Layout, Sums

FLOOR = 1e-7  # of a variance, over the variance of all values of the element
LEAST_VARIANCE = 1e-30  # of elements that never change
PASSES_PER_ROUND = 3
FACTORS = 8  # determinants multiplied before the logarithm; below 1e38 each, no overflow
RIDGE = 1e-12  # of the fixed effects' own sums: guesses far off are no singular matrices
LONGEST = 32.0  # extrapolation, in steps
LEAST_DETERMINANT = 1e-6  # of a person's sums, over their product: ages that are not all the same
LEAST_SHARE = 0.05  # of the scatter of people's own rates, at the start
MOST_CORRELATED = 0.9
START_SHARES = (0.8, 0.05)  # level's and noise's share of the variance at the start


@dataclass(frozen=True)
class Variances:
    """Covariance of the random effects and variance of the noise, (b,) each.

    Attributes
    ----------
    level, covariance, rate
        D: of level, between level and rate, of rate (per year).
    noise
        s2.
    """

    level: np.ndarray
    covariance: np.ndarray
    rate: np.ndarray
    noise: np.ndarray

    def where(self, chosen: np.ndarray, other: "Variances") -> "Variances":
        """Take these where `chosen` (b,), the other ones elsewhere."""
        pairs = zip(self.stacked(), other.stacked(), strict=True)
        return Variances(*(np.where(chosen, mine, theirs) for mine, theirs in pairs))

    def stacked(self) -> np.ndarray:
        """(4, b)."""
        return np.stack([self.level, self.covariance, self.rate, self.noise])


@dataclass(frozen=True)
class Expected:
    """What one pass over people gives.

    Attributes
    ----------
    beta
        Fixed effects, (q, b).
    log_likelihood
        (b,).
    updated
        Variances of the next step.
    """

    beta: np.ndarray
    log_likelihood: np.ndarray
    updated: Variances


def maximise(
    layout: Layout, sums: Sums, tolerance: float, max_passes: int
) -> tuple[Variances, Expected]:
    """Fit a block of elements.

    Parameters
    ----------
    layout, sums
        Of the training people.
    tolerance
        Ends when no element's log-likelihood rises by more from one extrapolation to the next.
    max_passes
        Over the people, at most.

    Returns
    -------
    tuple
        The variances, and what a pass with them gives.
    """
    total = sums.squares / layout.n_scans - (sums.fixed[0] / layout.n_scans) ** 2
    floor = FLOOR * np.maximum(total, LEAST_VARIANCE)
    variances = _start(layout, sums, total, floor)
    for _ in range(max_passes // PASSES_PER_ROUND):
        first = step(layout, sums, variances, floor)
        second = step(layout, sums, first.updated, floor)
        guess = _extrapolate(variances, first.updated, second.updated, floor)
        jump = step(layout, sums, guess, floor)
        better = jump.log_likelihood > second.log_likelihood
        variances = jump.updated.where(better, second.updated)
        reached = np.maximum(jump.log_likelihood, second.log_likelihood)
        if (reached - first.log_likelihood < tolerance).all():
            break
    return variances, step(layout, sums, variances, floor)


def step(layout: Layout, sums: Sums, variances: Variances, floor: np.ndarray) -> Expected:
    """One pass of expectation and maximisation."""
    noise = variances.noise
    posterior, determinant = random_posterior(layout.gram, variances)
    beta = fixed_effects(layout, sums, posterior, noise)
    residual = sums.random - np.matmul(layout.cross, beta)  # (2, N, b)
    effect = apply(posterior, residual) / noise
    explained = (effect * residual).sum(axis=(0, 1))
    left = sums.squares - 2 * (beta * sums.fixed).sum(axis=0)
    left = left + (beta * (layout.fixed @ beta)).sum(axis=0)
    likelihood = layout.n_scans * np.log(noise) + layout.person_log_det.sum()
    likelihood = likelihood + _sum_of_logs(determinant)
    likelihood = likelihood + (left - explained) / noise
    fitted = (effect * apply(layout.gram, effect)).sum(axis=(0, 1))
    trace = (layout.gram[[0, 2]] * posterior[[0, 2]]).sum(axis=(0, 1))
    trace = trace + 2 * (layout.gram[1] * posterior[1]).sum(axis=0)
    products = np.stack([effect[0] ** 2, effect[0] * effect[1], effect[1] ** 2]) + posterior
    level, covariance, rate = products.mean(axis=1)
    new_noise = (left - 2 * explained + fitted + trace) / layout.n_scans
    updated = Variances(level, covariance, rate, np.maximum(new_noise, floor))
    constant = layout.n_scans * np.log(2 * np.pi)
    return Expected(beta, -0.5 * (likelihood + constant), updated)


def random_posterior(gram: np.ndarray, variances: Variances) -> tuple[np.ndarray, np.ndarray]:
    """Posterior covariance of the random effects, D (I + G D / s2)^-1, and determinants.

    Parameters
    ----------
    gram
        G = X'R^-1 X: 00, 01, 11; (3, N, 1).

    Returns
    -------
    tuple
        (3, N, b): level, covariance, rate; and det(I + G D / s2) of each person, (N, b).
    """
    d = variances
    g00, g01, g11 = gram / d.noise  # (N, b)
    spread = np.maximum(d.level * d.rate - d.covariance**2, 0)  # det D
    # Sums of what is positive, so that nothing cancels where noise is small:
    # det(I + G D) = 1 + tr(G D) + det G det D, and D (I + G D)^-1 = (D + det D adj G) / that.
    determinant = 1 + g00 * d.level + 2 * g01 * d.covariance + g11 * d.rate
    determinant += spread * np.maximum(g00 * g11 - g01**2, 0)
    posterior = np.stack(
        [d.level + spread * g11, d.covariance - spread * g01, d.rate + spread * g00]
    )
    posterior /= determinant
    return posterior, determinant


def _sum_of_logs(determinants: np.ndarray) -> np.ndarray:
    """Sum of logarithms over people, (b,); of products, since logarithms are what costs.

    Infinite for an extrapolation far off, which then is not taken.
    """
    starts = np.arange(0, len(determinants), FACTORS)
    with np.errstate(over="ignore"):
        products = np.multiply.reduceat(determinants, starts, axis=0)
    return np.log(products).sum(axis=0)


def apply(symmetric: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Multiply symmetric 2 x 2 matrices (3, N, b) with vectors (2, N, b)."""
    first = symmetric[0] * vectors[0] + symmetric[1] * vectors[1]
    return np.stack([first, symmetric[1] * vectors[0] + symmetric[2] * vectors[1]])


def fixed_effects(
    layout: Layout, sums: Sums, posterior: np.ndarray, noise: np.ndarray
) -> np.ndarray:
    """Generalised least squares of the fixed effects, (q, b)."""
    level, rate = layout.cross  # (N, q)
    removed = np.zeros((layout.outer.shape[1], len(noise)))
    for products, part in zip(layout.outer, posterior, strict=True):
        removed += products @ part
    q = level.shape[1]
    rows, columns = np.triu_indices(q)
    normal = np.empty((len(noise), q, q))
    normal[:, rows, columns] = layout.fixed[rows, columns] - (removed / noise).T
    normal[:, columns, rows] = normal[:, rows, columns]
    normal += RIDGE * np.diag(np.diag(layout.fixed))
    shrunk = apply(posterior, sums.random)
    right = sums.fixed - (level.T @ shrunk[0] + rate.T @ shrunk[1]) / noise
    return np.linalg.solve(normal, right.T[..., None])[..., 0].T


def _start(layout: Layout, sums: Sums, total: np.ndarray, floor: np.ndarray) -> Variances:
    """Variances by moments: of people's own lines, less what the noise adds to them."""
    g00, g01, g11 = layout.gram[..., 0]
    determinant = g00 * g11 - g01**2
    lined = determinant > LEAST_DETERMINANT * g00 * g11
    freedom = layout.n_scans - layout.n_people - lined.sum()
    total = np.maximum(total, floor)
    if not lined.any() or freedom < 1:
        level, noise = (share * total for share in START_SHARES)
        return Variances(level, np.zeros_like(total), noise / max(g11.sum() / g00.sum(), 1), noise)
    beta = np.linalg.lstsq(layout.fixed, sums.fixed, rcond=None)[0]
    residual = sums.random - np.matmul(layout.cross, beta)
    left = sums.squares - 2 * (beta * sums.fixed).sum(axis=0)
    left = left + (beta * (layout.fixed @ beta)).sum(axis=0)
    inverse = np.stack([g11, -g01, g00])[:, lined] / determinant[lined]
    lines = apply(inverse[:, :, None], residual[:, lined])
    left = left - (lines * residual[:, lined]).sum(axis=(0, 1))
    left = left - (residual[0, ~lined] ** 2 / g00[~lined, None]).sum(axis=0)
    noise = np.maximum(left / freedom, START_SHARES[1] * 1e-2 * total)
    seen = np.stack([lines[0] ** 2, lines[0] * lines[1], lines[1] ** 2]).mean(axis=1)
    level, both, rate = seen - noise * inverse.mean(axis=1)[:, None]
    level = np.maximum(level, START_SHARES[1] * total)
    rate = np.maximum(rate, LEAST_SHARE * seen[2])
    most = MOST_CORRELATED * np.sqrt(level * rate)
    return Variances(level, np.clip(both, -most, most), rate, noise)


def _extrapolate(
    start: Variances, first: Variances, second: Variances, floor: np.ndarray
) -> Variances:
    """Squared extrapolation from variances and their next two updates."""
    a, b, c = (_to_free(part, floor) for part in (start, first, second))
    change, bend = b - a, (c - b) - (b - a)
    size = np.linalg.norm(bend, axis=0)
    length = np.linalg.norm(change, axis=0) / np.where(size > 0, size, np.inf)
    length = np.clip(length, 1, LONGEST)
    return _from_free(a + 2 * length * change + length**2 * bend)


def _to_free(variances: Variances, floor: np.ndarray) -> np.ndarray:
    """Log-Cholesky factor of D and log s2, (4, b)."""
    level = np.sqrt(np.maximum(variances.level, floor))
    below = variances.covariance / level
    rate = np.sqrt(np.maximum(variances.rate - below**2, 1e-4 * floor))
    return np.stack([np.log(level), below, np.log(rate), 0.5 * np.log(variances.noise)])


def _from_free(free: np.ndarray) -> Variances:
    level, below, rate = np.exp(free[0]), free[1], np.exp(free[2])
    return Variances(level**2, level * below, below**2 + rate**2, np.exp(2 * free[3]))
