"""Who is marked as the best: clear winners, no ties, nobody by chance."""

import numpy as np
import pytest

from brainlapse.analysis.paired import interval, rank_paired


def ranked(values, person=None, *, higher=True, seed=0):
    person = np.arange(len(values)) if person is None else person
    names = list("abcdef")[: values.shape[1]]
    table = rank_paired(
        names, lambda k, rows: values[rows, k].mean(), person, higher=higher, seed=seed
    )
    return table.set_index("model")


def people(count, models, seed=0):
    """People differ by more than models do."""
    random = np.random.default_rng(seed)
    return random.normal(0, 5, (count, 1)) + random.normal(0, 0.5, (count, models))


def test_a_clear_winner_is_marked_though_intervals_overlap():
    values = np.add(people(30, 3), [0, 1, 0])
    found = ranked(values)
    assert found["best"].tolist() == [False, True, False]
    assert found.loc["b", "ci_low"] < found.loc["a", "value"]  # people differ by more
    assert found.loc["b", "gap_low"] > 0
    runner_up = found["value"].drop("b").idxmax()
    assert found.loc["b", "than"] == runner_up
    assert found.loc["b", "gap"] == pytest.approx(
        found.loc["b", "value"] - found.loc[runner_up, "value"]
    )
    assert set(found["than"].drop("b")) == {"b"}


def test_less_is_better_where_that_is_so():
    assert ranked(np.add(people(30, 3), [0, 1, -1]), higher=False)["best"].tolist() == [
        False,
        False,
        True,
    ]


def test_a_tie_is_marked_nowhere():
    values = np.add(people(30, 3), [1, 1, 0])
    found = ranked(values)
    assert not found["best"].any()
    assert found.loc["a", "gap_low"] < 0 < found.loc["a", "gap_high"]
    same = ranked(np.repeat(people(30, 1), 2, axis=1))
    assert not same["best"].any()
    assert same["gap"].tolist() == [0, 0]


def test_a_winner_that_one_of_all_may_equal_is_not_marked():
    """The runner-up is surely behind, a third that varies more is not."""
    random = np.random.default_rng(3)
    values = np.stack([np.ones(30), np.full(30, 0.9), random.normal(0.8, 3, 30)], axis=1)
    found = ranked(values)
    assert found["value"].idxmax() == "a"
    assert not found["best"].any()


def test_few_people_mark_nobody():
    assert not ranked(np.add(people(5, 2), [0, 50]))["best"].any()
    assert ranked(np.add(people(6, 2), [0, 50]))["best"].tolist() == [False, True]
    alone = ranked(people(1, 2))
    assert alone[["ci_low", "gap_low"]].isna().all(axis=None)


def test_scans_of_one_person_count_as_one():
    values = np.add(people(4, 2).repeat(10, axis=0), [0, 50])
    found = ranked(values, np.arange(4).repeat(10))
    assert found["n_subjects"].tolist() == [4, 4]
    assert not found["best"].any()


def test_a_lonely_model_is_best_of_nothing():
    found = ranked(people(20, 1))
    assert not found["best"].any()
    assert found["than"].isna().all()


@pytest.mark.slow
def test_of_equal_models_few_are_marked():
    """Of 400 cohorts each with 2 equal models, of 6, 10, 20, 50 people: 9.5, 6.3, 3.8, 7.0 %."""
    marked = [ranked(people(20, 2, seed), seed=seed)["best"].any() for seed in range(100)]
    assert np.mean(marked) < 0.1


def test_intervals_widen_for_few_people():
    draws = np.random.default_rng(0).normal(size=100_000)
    few, many = interval(draws, 6), interval(draws, 10_000)
    assert few[1] == pytest.approx(2.571 * np.sqrt(6 / 5), abs=0.1)  # of t, as if from the sample
    assert many[1] == pytest.approx(1.96, abs=0.03)
