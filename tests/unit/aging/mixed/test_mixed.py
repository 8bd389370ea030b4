import numpy as np
import pandas as pd
import pytest

from brainlapse.aging.mixed.design import Covariates
from brainlapse.aging.mixed.fit import Variances
from brainlapse.aging.mixed.model import MixedModel, MixedSettings, fit_mixed, predict
from brainlapse.aging.people import Person

NOTHING = Covariates(level=(), rate=())
LEVEL_VARIANCE, COVARIANCE, RATE_VARIANCE, NOISE_VARIANCE = 4.0, 0.3, 0.09, 0.25
CONSTANT, AGE_SLOPE, RATE = 10.0, -2.0, 0.5


def drawn(count, visits, seed):
    """People of the model itself; two elements with the same parameters."""
    generator = np.random.default_rng(seed)
    root = np.linalg.cholesky([[LEVEL_VARIANCE, COVARIANCE], [COVARIANCE, RATE_VARIANCE]])
    people = []
    for _ in range(count):
        ages = generator.uniform(55, 75) + np.cumsum(generator.uniform(0.5, 2.0, visits))
        level, rate = root @ generator.normal(size=(2, 2))
        time = (ages - ages[0])[:, None]
        values = CONSTANT + AGE_SLOPE * (ages[0] - 65) / 10 + level + (RATE + rate) * time
        noise = np.sqrt(NOISE_VARIANCE) * generator.normal(size=values.shape)
        people.append(Person(ages, values + noise))
    return people


def test_em_recovers_what_was_planted():
    people = drawn(3000, 4, seed=0)
    model = fit_mixed(people, MixedSettings(NOTHING, walk_ratio=0.0))
    found = model.variances
    np.testing.assert_allclose(found.level, LEVEL_VARIANCE, rtol=0.08)
    np.testing.assert_allclose(found.covariance, COVARIANCE, atol=0.08)
    np.testing.assert_allclose(found.rate, RATE_VARIANCE, rtol=0.15)
    np.testing.assert_allclose(found.noise, NOISE_VARIANCE, rtol=0.05)
    shift = AGE_SLOPE * (model.design.age_centre_years - 65) / 10
    np.testing.assert_allclose(model.beta[0], CONSTANT + shift, atol=0.15)
    np.testing.assert_allclose(model.beta[1], AGE_SLOPE, atol=0.2)
    np.testing.assert_allclose(model.beta[2], RATE, atol=0.03)


def test_the_walk_is_found_by_likelihood():
    generator = np.random.default_rng(5)
    people = []
    for person in drawn(400, 5, seed=5):
        years = np.diff(person.ages_years, prepend=person.ages_years[0])[:, None]
        steps = np.sqrt(3 * NOISE_VARIANCE * years) * generator.normal(size=person.values.shape)
        people.append(Person(person.ages_years, person.values + np.cumsum(steps, axis=0)))
    assert fit_mixed(people, MixedSettings(NOTHING)).walk_ratio == pytest.approx(3, rel=0.01)
    assert fit_mixed(drawn(400, 5, seed=6), MixedSettings(NOTHING)).walk_ratio <= 0.03


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_one_element_agrees_with_statsmodels():
    mixed_linear_model = pytest.importorskip("statsmodels.api", reason="no statsmodels").MixedLM
    generator = np.random.default_rng(2)
    people = [
        person.first(generator.integers(1, 5)) for person in drawn(150, 4, seed=2)
    ]  # unequal numbers of visits, some with one
    model = fit_mixed(people, MixedSettings(NOTHING, walk_ratio=0.0, tolerance=1e-10))
    fixed = np.concatenate([model.design.rows(p, p.ages_years) for p in people])
    time = np.concatenate([p.ages_years - p.ages_years[0] for p in people])
    groups = np.repeat(np.arange(len(people)), [len(p.ages_years) for p in people])
    values = np.concatenate([p.values[:, 0] for p in people])
    random = np.column_stack([np.ones_like(time), time])
    start = mixed_linear_model(values, fixed, groups, exog_re=random)
    reference = start.fit(reml=False, method="cg")
    np.testing.assert_allclose(model.beta[:, 0], reference.fe_params, rtol=1e-4)
    covariance = np.asarray(reference.cov_re)
    found = [model.variances.level[0], model.variances.covariance[0], model.variances.rate[0]]
    wanted = covariance[0, 0], covariance[0, 1], covariance[1, 1]
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(model.variances.noise[0], reference.scale, rtol=1e-4)
    np.testing.assert_allclose(model.log_likelihood[0], reference.llf, atol=1e-4)


def test_a_flat_prior_gives_the_least_squares_line():
    people = drawn(20, 4, seed=3)
    model = fit_mixed(people, MixedSettings(NOTHING, walk_ratio=0.0))
    flat = Variances(*(np.full(2, value) for value in (1e9, 0.0, 1e9, 1.0)))
    model = MixedModel(model.design, 0.0, model.beta, flat, model.log_likelihood)
    person, asked = people[0].first(3), people[0].ages_years[3:]
    slope, level = np.polyfit(person.ages_years, person.values, 1)
    found = predict(model, person, asked, with_noise=False)
    np.testing.assert_allclose(found.mean[0], level + slope * asked[0], rtol=1e-6)


def test_forecasts_are_the_conditional_gaussian():
    """Against the textbook formula on the whole covariance matrix, walk included."""
    people = drawn(60, 4, seed=4)
    model = fit_mixed(people, MixedSettings(NOTHING, walk_ratio=1.0))
    person, asked = people[7].first(2), people[7].ages_years[2:]
    ages = np.concatenate([person.ages_years, asked])
    time = ages - ages[0]
    random = np.column_stack([np.ones_like(time), time])
    v = model.variances
    spread = np.array([[v.level[0], v.covariance[0]], [v.covariance[0], v.rate[0]]])
    noise = v.noise[0] * (np.eye(4) + np.minimum.outer(time, time))
    whole = random @ spread @ random.T + noise
    mean = (model.design.rows(person, ages) @ model.beta)[:, 0]
    gain = whole[2:, :2] @ np.linalg.inv(whole[:2, :2])
    found = predict(model, person, asked, with_noise=True)
    np.testing.assert_allclose(
        found.mean[:, 0], mean[2:] + gain @ (person.values[:, 0] - mean[:2]), rtol=1e-8
    )
    np.testing.assert_allclose(
        found.covariance[..., 0], whole[2:, 2:] - gain @ whole[:2, 2:], rtol=1e-7
    )


def test_covariates_take_part_only_where_people_suffice_and_may_be_missing():
    people = [
        Person(p.ages_years, p.values, {"sex": "FM"[n % 2], "diagnosis": None})
        for n, p in enumerate(drawn(40, 3, seed=8))
    ]
    model = fit_mixed(people, MixedSettings(walk_ratio=0.0))
    assert [coding.name for coding in model.design.level] == ["sex"]
    few = fit_mixed(people[:9], MixedSettings(walk_ratio=0.0))
    assert not few.design.level
    unknown = Person(people[0].ages_years, people[0].values, {"sex": float("nan")})
    found = predict(model, unknown.first(1), unknown.ages_years[1:], with_noise=True)
    assert np.isfinite(found.mean).all()


def test_tables_of_missing_values_are_no_covariates():
    people = [Person(p.ages_years, p.values, {"sex": pd.NA}) for p in drawn(30, 2, seed=9)]
    assert not fit_mixed(people, MixedSettings(walk_ratio=0.0)).design.level
