import numpy as np
import pytest

from brainlapse.aging.methods import bayes, copy_last, population_rate, subject_ols, volume_bayes
from brainlapse.aging.methods.interface import FitSettings
from brainlapse.aging.people import Person
from tests.unit.aging.planted import plant, rmse

SETTINGS = FitSettings()
P = 40


@pytest.fixture(scope="module")
def loadings():
    return 0.5 * np.random.default_rng(0).normal(size=(2, P))


@pytest.fixture(scope="module")
def fitted(loadings):
    people = plant(120, 4, loadings, seed=1)
    methods = {"copy": copy_last, "ols": subject_ols, "rate": population_rate, "bayes": bayes}
    return {name: method.fit(people, SETTINGS) for name, method in methods.items()}


def test_bayes_is_best_with_one_scan_and_with_three(fitted, loadings):
    """Rates differ in two directions, scans scatter: other people tell, more scans tell more."""
    unseen = plant(80, 4, loadings, seed=2)
    one = {name: rmse(fitted[name], unseen, 1) for name in ("copy", "rate", "bayes")}
    three = {name: rmse(fitted[name], unseen, 3) for name in fitted}
    assert one["bayes"] < 1.01 * one["rate"] < one["copy"]  # one scan tells no rate
    assert three["bayes"] < 0.9 * min(three["ols"], three["copy"])
    assert three["bayes"] < 0.9 * three["rate"]


def test_intervals_of_bayes_cover_what_they_say(fitted, loadings):
    unseen = plant(80, 4, loadings, seed=3)
    below = [
        fitted["bayes"].forecast(p.first(2), p.ages_years[2:]).quantile(level) > p.values[2:]
        for p in unseen
        for level in (0.1, 0.9)
    ]
    low, high = np.mean(below[0::2]), np.mean(below[1::2])
    assert low == pytest.approx(0.1, abs=0.03)
    assert high == pytest.approx(0.9, abs=0.03)


def test_the_population_rate_is_pooled_within_people(loadings):
    people = plant(30, 3, loadings, seed=4)
    method = population_rate.fit(people, FitSettings())
    design = method.design
    seen = people[3].first(1)
    found = method.forecast(seen, seen.ages_years + 2).centre[0]
    columns = [design.rows(p, p.ages_years)[:, design.n_level :] for p in people]
    levels = np.kron(np.eye(30), np.ones((3, 1)))  # one for each person
    matrix = np.column_stack([np.concatenate(columns), levels])
    beta = np.linalg.lstsq(matrix, np.concatenate([p.values for p in people]), rcond=None)[0]
    rows = design.rows(seen, seen.ages_years + 2)[:, design.n_level :]
    expected = seen.values[0] + (rows @ beta[: rows.shape[1]])[0]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)


def test_a_rate_that_rises_with_age_is_found(loadings):
    people = plant(200, 4, 0 * loadings, seed=5, own=0.0, age_rate=0.4)
    method = population_rate.fit(people, SETTINGS)
    for age, rate in ((60.0, 0.1), (80.0, 0.9)):
        person = Person(np.array([age]), np.zeros((1, P)))
        change = method.forecast(person, np.array([age + 1e-3])).centre[0] / 1e-3
        assert change.mean() == pytest.approx(rate, abs=0.08)


@pytest.mark.parametrize("method", [population_rate, bayes, volume_bayes])
def test_people_seen_once_teach_no_rate(method, loadings):
    people = [person.first(1) for person in plant(10, 2, loadings, seed=6)]
    with pytest.raises(ValueError, match="two ages"):
        method.fit(people, SETTINGS)


def test_a_line_needs_two_ages(loadings):
    person = plant(1, 3, loadings, seed=7)[0]
    repeated = Person(np.full(3, 70.0), person.values)
    with pytest.raises(ValueError, match="two ages"):
        subject_ols.fit([], SETTINGS).forecast(repeated, np.array([71.0]))


@pytest.mark.parametrize("method", [population_rate, bayes, volume_bayes])
def test_unequal_visits_and_repeated_ages_are_taken(method, loadings):
    people = plant(12, 4, loadings, seed=8)
    mixed = [person.first(1 + number % 4) for number, person in enumerate(people)]
    first = mixed[3]
    mixed[3] = Person(first.ages_years[[0, 0, 2, 3]], first.values, {"sex": "F"})
    fitted = method.fit(mixed, SETTINGS)
    twice = Person(np.array([65.0, 65.0]), people[0].values[:2])
    assert np.isfinite(fitted.forecast(twice, np.array([65.0, 70.0])).centre).all()


@pytest.mark.parametrize("method", [bayes, volume_bayes])
def test_three_people_on_exact_lines_are_enough(method, loadings):
    people = plant(3, 3, loadings, seed=9, noise=0.0, own=0.0)
    found = method.fit(people, SETTINGS).forecast(people[0].first(2), people[0].ages_years[2:])
    assert np.isfinite(found.centre).all()
    np.testing.assert_allclose(found.centre, people[0].values[2:], atol=0.5)
