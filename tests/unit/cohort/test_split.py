import pandas as pd
import pytest

from brainlapse.cohort.errors import CohortError, LeakageError
from brainlapse.cohort.settings import CohortSettings
from brainlapse.cohort.split import (
    assign_sides,
    check_no_leakage,
    check_requested,
    check_sides,
    split_subject,
)

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
    person = "d/" + table["subject"]
    return table.assign(dataset="d", scan=table["subject"], person=person, role="fit")


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


def scan(dataset, subject, people=None, role="fit"):
    person = f"{people or dataset}/{subject}"
    return {"dataset": dataset, "subject": subject, "person": person, "role": role, "note": None}


def sides(scans, requested=None, linked=None):
    assign_sides(scans, requested or {}, linked or {}, CohortSettings(), seed=0)
    return [row["split"] for row in scans]


def test_equal_labels_are_two_people_unless_data_sets_share_them():
    apart = [scan("a", "sub-01"), scan("b", "sub-01"), scan("c", "sub-01", role="apply")]
    assert sides(apart, {"a": {"sub-01": "train"}, "b": {"sub-01": "test"}}) == [
        "train", "test", "apply",
    ]  # fmt: skip
    assert [row["note"] for row in apart] == [None] * 3
    shared = [scan("a", "sub-01", "x"), scan("b", "sub-01", "x"), scan("b", "sub-02", "x")]
    assert sides(shared, {"b": {"sub-01": "test"}})[:2] == ["test", "test"]
    with pytest.raises(CohortError, match=r"a/sub-01: train, b/sub-01: test"):
        sides(shared, {"a": {"sub-01": "train"}, "b": {"sub-01": "test"}})


def test_people_share_the_name_of_another_data_set():
    assert sides([scan("a", "sub-01"), scan("b", "sub-01", "a")], {"a": {"sub-01": "test"}}) == [
        "test", "test",
    ]  # fmt: skip


@pytest.mark.parametrize("side", ["train", "validation", "test"])
def test_people_under_fit_and_apply_are_noted(side):
    scans = [scan("a", "sub-01", "x"), scan("c", "sub-01", "x", "apply"), scan("c", "sub-02", "x")]
    scans[2]["role"] = "apply"
    assert sides(scans, {"a": {"sub-01": side}}) == [side, "apply", "apply"]
    assert f"the same person stands in {side} of the fit data" in scans[1]["note"]
    assert ("not independent" in scans[1]["note"]) == (side != "test")
    assert scans[2]["note"] is None


def test_people_who_share_an_image_cannot_be_asked_for_two_sides():
    scans = [scan("a", "sub-01"), scan("a", "sub-02")]
    linked = {"a/sub-01": "a/sub-01", "a/sub-02": "a/sub-01"}
    assert sides(scans, {"a": {"sub-02": "test"}}, linked) == ["test", "test"]
    assert [row["person"] for row in scans] == ["a/sub-01"] * 2  # for folds of tasks as well
    scans = [scan("a", "sub-01"), scan("a", "sub-02")]
    with pytest.raises(CohortError, match="two sides of one person"):
        sides(scans, {"a": {"sub-01": "train", "sub-02": "test"}}, linked)
