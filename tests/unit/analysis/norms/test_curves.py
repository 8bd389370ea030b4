"""Planted curves and spreads come back; numbers are those of statsmodels and of the t interval."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from brainlapse.analysis.norms.curves import NoCurve, centred, design, fit_curve
from tests.unit.analysis.norms.cohorts import expected, spread

BOTH = ("F", "M")


def values(people, seed=0, region="ventricles"):
    """Shares of the head, ages and sexes."""
    random = np.random.default_rng(seed)
    ages, sex = random.uniform(20, 90, people), random.choice(["F", "M"], people)
    distance = random.normal(0, spread(region, ages))
    return np.exp(expected(region, ages, sex == "M") + distance), ages, sex


@pytest.mark.parametrize("region", ["hippocampus", "ventricles"])
def test_the_planted_curve_and_spread_are_recovered(region):
    curve = fit_curve(*values(3000, region=region), BOTH, knots=4)
    ages, sex = np.linspace(22, 88, 50), np.tile(["F", "M"], 25)
    mean, scale = curve.predict(ages, sex)
    true = spread(region, ages)
    assert np.abs(mean - expected(region, ages, sex == "M")).max() < 0.2 * true.min()
    assert np.abs(scale / true - 1).max() < 0.06
    for share in (5, 25, 50, 75, 95):
        planted = expected(region, ages, sex == "M") + stats.norm.ppf(share / 100) * true
        assert np.abs(np.log(curve.at(share, ages, sex)) - planted).max() < 0.25 * true.min()


def test_mean_and_scale_are_those_of_weighted_least_squares():
    numbers, ages, sex = values(60)
    curve = fit_curve(numbers, ages, sex, BOTH, knots=4)
    columns = design(ages, sex, curve.knots, BOTH)
    weights = np.exp(-2 * curve.slope * centred(ages, curve.knots))
    found = sm.WLS(np.log(numbers), columns, weights=weights).fit()
    np.testing.assert_allclose(curve.coefficients, found.params, rtol=1e-8)
    assert curve.spread**2 == pytest.approx(found.scale)
    np.testing.assert_allclose(curve.covariance * found.scale, found.cov_params(), rtol=1e-6)
    other = found.get_prediction(columns[:9], weights=weights[:9]).summary_frame(alpha=0.1)
    _, scale = curve.predict(ages[:9], sex[:9])
    half = (other["obs_ci_upper"] - other["obs_ci_lower"]) / 2
    np.testing.assert_allclose(scale, half / stats.t.ppf(0.95, found.df_resid), rtol=1e-6)


def test_the_slope_of_the_spread_has_the_greatest_restricted_likelihood():
    numbers, ages, sex = values(80)
    curve = fit_curve(numbers, ages, sex, BOTH, knots=3)
    columns, time = design(ages, sex, curve.knots, BOTH), centred(ages, curve.knots)

    def likelihood(slope):
        """Of contrasts that hold nothing of the mean, as normal numbers with this covariance."""
        contrasts = np.linalg.svd(columns)[0][:, columns.shape[1] :]
        left = contrasts.T @ np.log(numbers)
        shape = contrasts.T @ np.diag(np.exp(2 * slope * time)) @ contrasts
        variance = left @ np.linalg.solve(shape, left) / len(left)
        return stats.multivariate_normal(cov=variance * shape).logpdf(left)

    slopes = np.linspace(-1, 1, 401)
    best = slopes[np.argmax([likelihood(slope) for slope in slopes])]
    assert curve.slope == pytest.approx(best, abs=0.005)


def test_centiles_and_z_scores_say_the_same():
    curve = fit_curve(*values(40), BOTH, knots=3)
    ages, sex = np.full(5, 60.0), np.full(5, "M")
    at = np.array([curve.at(share, ages[:1], sex[:1])[0] for share in (5, 25, 50, 75, 95)])
    np.testing.assert_allclose(curve.centiles(at, ages, sex), [5, 25, 50, 75, 95])
    z_scores = curve.z_scores(at, ages, sex)
    np.testing.assert_allclose(z_scores, stats.norm.ppf([0.05, 0.25, 0.5, 0.75, 0.95]), atol=1e-9)
    assert np.isfinite(curve.z_scores(at * 1e9, ages, sex)).all()


def held_out(curve, seed, people=300):
    """Z-scores of further people within the ages of the curve."""
    numbers, ages, sex = values(people, seed)
    known = curve.covers(ages)
    return curve.z_scores(numbers[known], ages[known], sex[known])


def test_people_who_were_not_fitted_lie_between_the_centiles_as_they_should():
    z_scores = held_out(fit_curve(*values(5000), BOTH, knots=4), seed=1, people=4000)
    inside = np.mean(np.abs(z_scores) < stats.norm.ppf(0.95))
    assert abs(inside - 0.90) < 3 * np.sqrt(0.9 * 0.1 / len(z_scores))
    assert abs(z_scores.mean()) < 3 / np.sqrt(len(z_scores))
    assert z_scores.std() == pytest.approx(1, abs=3 / np.sqrt(2 * len(z_scores)))


def test_the_fewest_controls_still_give_calibrated_centiles():
    """The default of analysis.norms.min_controls; with 15, 87 % of further people lie inside."""
    curves = [fit_curve(*values(30, seed), BOTH, knots=3) for seed in range(200)]
    found = [held_out(curve, 999 + seed) for seed, curve in enumerate(curves)]
    inside = [np.mean(np.abs(z_scores) < stats.norm.ppf(0.95)) for z_scores in found]
    assert 0.87 < np.mean(inside) < 0.90
    assert 1 < np.concatenate(found).std() < 1.09


def test_where_there_is_no_curve_one_sentence_says_why():
    numbers, ages, sex = values(40)
    with pytest.raises(NoCurve, match="all of one age"):
        fit_curve(numbers, np.full(40, 50.0), sex, BOTH, knots=4)
    with pytest.raises(NoCurve, match="the same value"):
        fit_curve(np.full(40, 0.01), ages, sex, BOTH, knots=4)
    with pytest.raises(NoCurve, match="40 controls don't determine"):
        fit_curve(numbers, ages, np.full(40, "F"), BOTH, knots=4)
