import pandas as pd
import pytest

from brainlapse.cohort.errors import CohortError, LeakageError
from brainlapse.cohort.settings import CohortSettings
from brainlapse.cohort.split import check_no_leakage, check_requested, check_sides, split_subject

SUBJECTS = [f"sub-{index:04}" for index in range(3000)]


def test_fractions_are_met_and_the_seed_counts():
    sides = pd.Series([split_subject(0, subject, CohortSettings()) for subject in SUBJECTS])
    shares = sides.value_counts(normalize=True)
    assert shares["test"] == pytest.approx(0.2, abs=0.03)
    assert shares["validation"] == pytest.approx(0.15, abs=0.03)
    other = pd.Series([split_subject(1, subject, CohortSettings()) for subject in SUBJECTS])
    assert (sides != other).mean() > 0.2


def test_golden_sides():
    sides = [split_subject(0, f"sub-{index:02}", CohortSettings()) for index in range(1, 7)]
    assert sides == ["train", "train", "train", "train", "test", "train"]


def rows(*sides):
    table = pd.DataFrame(sides, columns=["subject", "split", "sha256"])
    return table.assign(dataset="d", scan=table["subject"], role="fit")


def test_leaks_are_loud():
    check_no_leakage(rows(("a", "train", "1"), ("a", "train", "2"), ("b", "test", "3")))
    with pytest.raises(LeakageError, match="d/a stands in test and train"):
        check_no_leakage(rows(("a", "train", "1"), ("a", "test", "2")))
    with pytest.raises(LeakageError, match="d/a, d/b are one image"):
        check_no_leakage(rows(("a", "train", "1"), ("b", "test", "1")))


def test_empty_sides_say_what_to_do():
    check_sides(rows(("a", "train", "1"), ("b", "validation", "2")))
    with pytest.raises(CohortError, match=r"no subjects in validation.*change seed"):
        check_sides(rows(("a", "train", "1"), ("b", "test", "2")))
    check_sides(rows(("a", "apply", "1")).assign(role="apply"))


def test_requested_sides_are_checked():
    assert check_requested("d", {"a": "Train"}) == {"a": "train"}
    with pytest.raises(CohortError, match="found b: holdout"):
        check_requested("d", {"a": "train", "b": "holdout"})
