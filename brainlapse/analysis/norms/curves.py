"""The curve of one measure: a Gaussian of its logarithm, whose mean and spread go with age.

Rates, which may be negative, are Gaussian themselves. The mean is a natural cubic spline of age
plus a shift by sex, the log of the spread a line in age.
Mean and scale are weighted least squares, the slope of the log spread is that of the greatest
restricted likelihood (Patterson and Thompson 1971; Harville 1974), so that the parameters of the
mean cost no spread. Centiles are of a person who was not fitted: a t distribution whose scale
holds what is not known of the mean, as in the prediction interval of a regression.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg, optimize, stats
from scipy.interpolate import CubicSpline

STEEPEST = 1.5  # slope of the log spread per half of the ages: a ratio of 20 over all of them


class NoCurve(Exception):
    """There is no curve of these values; the message says why."""


@dataclass(frozen=True)
class Curve:
    """What was fitted.

    Attributes
    ----------
    knots
        Ages between which the mean is a cubic polynomial [years], (K,); the outer ones are the
        ages of the youngest and the oldest person.
    sexes
        Those that there are curves of; none: one curve for all.
    coefficients
        Of the columns of `design`, (P,), on the scale of the fit: log values, or plain ones.
    covariance
        Of the coefficients, for a spread of 1 in the middle of the ages, (P, P).
    spread
        Standard deviation in the middle of the ages, on the scale of the fit.
    slope
        Of the log spread, per half of the range of ages.
    people
        How many were fitted.
    logarithmic
        Whether logarithms were fitted.
    """

    knots: np.ndarray
    sexes: tuple[str, ...]
    coefficients: np.ndarray
    covariance: np.ndarray
    spread: float
    slope: float
    people: int
    logarithmic: bool = True

    @property
    def freedom(self) -> int:
        """Degrees of freedom of the spread."""
        return self.people - len(self.coefficients) - 1

    def covers(self, ages_years: np.ndarray) -> np.ndarray:
        """Whether each age is among those of the people fitted, bool (N,)."""
        return (ages_years >= self.knots[0]) & (ages_years <= self.knots[-1])

    def predict(self, ages_years: np.ndarray, sexes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what is expected of people who were not fitted, and its spread; both (N,)."""
        columns = design(ages_years, sexes, self.knots, self.sexes)
        own = np.exp(2 * self.slope * centred(ages_years, self.knots))
        unknown = np.einsum("np,pq,nq->n", columns, self.covariance, columns)
        return columns @ self.coefficients, self.spread * np.sqrt(own + unknown)

    def centiles(self, values: np.ndarray, ages_years: np.ndarray, sexes: np.ndarray) -> np.ndarray:
        """Share of people of the age and sex with a smaller value [%], (N,)."""
        return 100 * stats.t.cdf(self._distance(values, ages_years, sexes), self.freedom)

    def z_scores(self, values: np.ndarray, ages_years: np.ndarray, sexes: np.ndarray) -> np.ndarray:
        """Return the standard normal number with the same share below, (N,)."""
        return normal_score(self._distance(values, ages_years, sexes), self.freedom)

    def at(self, centile: float, ages_years: np.ndarray, sexes: np.ndarray) -> np.ndarray:
        """Value below which this share of people lies [%], (N,)."""
        mean, scale = self.predict(ages_years, sexes)
        value = mean + scale * stats.t.ppf(centile / 100, self.freedom)
        return np.exp(value) if self.logarithmic else value

    def _distance(
        self, values: np.ndarray, ages_years: np.ndarray, sexes: np.ndarray
    ) -> np.ndarray:
        mean, scale = self.predict(ages_years, sexes)
        return ((np.log(values) if self.logarithmic else values) - mean) / scale


def fit_curve(
    values: np.ndarray,
    ages_years: np.ndarray,
    sexes: np.ndarray,
    used: tuple[str, ...],
    knots: int,
    logarithmic: bool = True,
) -> Curve:
    """Fit the curve of one measure to one value of each control.

    Parameters
    ----------
    values
        Above zero if logarithmic, float (N,).
    ages_years, sexes
        Of the people, (N,).
    used
        Sexes that there are to be curves of; none: sex is left out.
    knots
        At most so many, spread evenly over the people; 2 make a line.

    Raises
    ------
    NoCurve
        If ages or values are all the same, or there are fewer people than parameters.
    """
    if len(values) == 0 or np.ptp(ages_years) == 0:
        message = "the controls are all of one age"
        raise NoCurve(message)
    fitted = np.log(values) if logarithmic else values
    if np.ptp(fitted) < 1e-9:
        message = "every control has the same value"
        raise NoCurve(message)
    places = np.unique(np.quantile(ages_years, np.linspace(0, 1, knots)))
    columns = design(ages_years, sexes, places, used)
    if len(values) < columns.shape[1] + 3 or np.linalg.matrix_rank(columns) < columns.shape[1]:
        message = f"{len(values)} controls don't determine a curve of {len(places)} knots"
        raise NoCurve(message)
    time = centred(ages_years, places)
    best = optimize.minimize_scalar(
        lambda slope: _weigh(columns, fitted, time, slope)[0],
        bounds=(-STEEPEST, STEEPEST),
        method="bounded",
    )
    slope = float(best.x)
    _, coefficients, covariance, spread = _weigh(columns, fitted, time, slope)
    count = len(values)
    return Curve(places, used, coefficients, covariance, spread, slope, count, logarithmic)


def normal_score(distance: np.ndarray, freedom: np.ndarray | int) -> np.ndarray:
    """Return the standard normal number with the same share below as a t distributed one."""
    return np.sign(distance) * stats.norm.isf(stats.t.sf(np.abs(distance), freedom))


def design(
    ages_years: np.ndarray, sexes: np.ndarray, knots: np.ndarray, used: tuple[str, ...]
) -> np.ndarray:
    """Columns of the mean, float (N, P): the spline's value at each knot, each further sex."""
    at_knots = CubicSpline(knots, np.eye(len(knots)), bc_type="natural")(ages_years)
    others = np.asarray(sexes, dtype=object)[:, None] == np.array(used[1:], dtype=object)
    return np.column_stack([at_knots, others.astype(float)])


def centred(ages_years: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Ages from -1 (youngest) to 1 (oldest)."""
    return (2 * ages_years - knots[0] - knots[-1]) / (knots[-1] - knots[0])


def _weigh(
    columns: np.ndarray, values: np.ndarray, time: np.ndarray, slope: float
) -> tuple[float, np.ndarray, np.ndarray, float]:
    """Weighted least squares for a slope of the log spread.

    Returns
    -------
    deviance, coefficients, covariance, spread
        The first is minus twice the restricted log likelihood, but for a constant.
    """
    roots = np.exp(-slope * time)
    upper, rotated = _triangle(columns * roots[:, None], values * roots)
    inverse = linalg.solve_triangular(upper, np.eye(len(upper)))
    coefficients = inverse @ rotated
    errors = (values - columns @ coefficients) * roots
    freedom = len(values) - columns.shape[1]
    squares = max(float(errors @ errors), np.finfo(float).tiny)
    determinant = 2 * np.log(np.abs(np.diag(upper))).sum()
    deviance = freedom * np.log(squares) + 2 * slope * time.sum() + determinant
    return deviance, coefficients, inverse @ inverse.T, float(np.sqrt(squares / freedom))


def _triangle(columns: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    orthogonal, upper = np.linalg.qr(columns)
    return upper, orthogonal.T @ values
