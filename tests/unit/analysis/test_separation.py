"""Groups planted in the components stand apart, and nothing else does."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import silhouette_score

from brainlapse.analysis import separation
from brainlapse.analysis.separation import SEPARATION_COLUMNS, tabulate_separation

PEOPLE, VISITS = 60, 3


def cohort(shift=None, size=0.0, seed=0):
    """Scores and index; people of the second group of column `shift` lie `size` away."""
    random = np.random.default_rng(seed)
    rows = [
        {
            "dataset": "ab"[number % 2],
            "subject": f"sub-{number}",
            "scan": f"sub-{number}_ses-{visit}",
            "person": f"{'ab'[number % 2]}/sub-{number}",
            "split": ["train", "train", "test"][number % 3],
            "diagnosis": ["control", "patient"][number // 2 % 2],
            "sex": "FM"[number // 4 % 2],
            "flagged": False,
        }
        for number in range(PEOPLE)
        for visit in range(VISITS)
    ]
    index = pd.DataFrame(rows)
    person = np.repeat(random.normal(size=(PEOPLE, 3)), VISITS, axis=0)
    points = person + random.normal(0, 0.1, (len(index), 3))
    if shift:
        points[:, 0] += size * (index[shift] == index[shift].max())
    scores = index[["dataset", "scan"]].assign(**{f"pc{k + 1}": points[:, k] for k in range(3)})
    return scores, index


@pytest.mark.parametrize("planted", ["dataset", "diagnosis", "sex"])
def test_the_planted_group_separates_on_both_sides_and_no_other(planted):
    table = tabulate_separation(*cohort(planted, 6.0), seed=0)
    assert list(table) == SEPARATION_COLUMNS
    numbers = table.dropna(subset=["silhouette"])
    assert set(numbers["split"]) == {"train", "held_out"}
    mine = numbers["column"] == planted
    assert (numbers.loc[mine, "silhouette"] > 0.4).all()
    assert (numbers.loc[mine, "p_value"] <= 0.002).all()
    assert (numbers.loc[~mine, "silhouette"] < 0.1).all()


def test_a_silhouette_is_scikit_learns_on_one_mean_per_person():
    scores, index = cohort("diagnosis", 2.0)
    index.loc[0, "flagged"] = True  # its person has two scans left
    table = tabulate_separation(scores, index, seed=0).set_index(["column", "split"])
    row = table.loc[("diagnosis", "train")]
    joined = scores.merge(index, on=["dataset", "scan"]).query("split == 'train' and not flagged")
    means = joined.groupby("person")[["pc1", "pc2", "pc3"]].mean()
    labels = joined.groupby("person")["diagnosis"].first()
    assert row["silhouette"] == pytest.approx(silhouette_score(means, labels), abs=1e-6)
    assert (row["people"], row["groups"], row["components"]) == (40, 2, 3)


def test_many_visits_of_few_people_are_no_evidence():
    """Scans would separate by person; shuffled by person, nothing does."""
    values = [
        tabulate_separation(*cohort(seed=seed), seed=seed)
        .set_index(["column", "split"])
        .loc[("diagnosis", "train"), "p_value"]
        for seed in range(20)
    ]
    assert np.mean(np.asarray(values) <= 0.05) <= 0.15


def test_same_seed_same_numbers():
    first, second = (tabulate_separation(*cohort("sex", 1.0), seed=3) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_sites_are_those_of_the_users_table():
    scores, index = cohort()
    index["Site"] = np.where(index["subject"].str.endswith(("1", "3", "6", "8")), 1.0, 2.0)
    row = (
        tabulate_separation(scores, index, 0).set_index(["column", "split"]).loc[("site", "train")]
    )
    assert row["groups"] == 4  # site 1 of data set a is not that of b


def test_one_group_few_people_and_missing_columns_give_a_sentence():
    scores, index = cohort()
    index["sex"] = "F"
    index["dataset_was"] = index.pop("diagnosis")
    table = tabulate_separation(scores, index, 0).set_index(["column", "split"])
    assert table.loc["sex", "silhouette"].isna().all()
    assert table.loc[("sex", "train"), "note"] == "expected two groups of 5 people, found 1"
    assert table.loc[("diagnosis", "train"), "note"] == "nobody has one value of diagnosis"
    assert table.loc[("site", "train"), "people"] == 0


def test_small_groups_are_left_out_by_name_and_people_of_two_groups_without():
    scores, index = cohort("diagnosis", 6.0)
    index.loc[index["subject"].isin(["sub-1", "sub-3"]), "diagnosis"] = "rare"
    index.loc[index["scan"] == "sub-0_ses-2", "diagnosis"] = "patient"
    table = tabulate_separation(scores, index, 0).set_index(["column", "split"])
    row = table.loc[("diagnosis", "train")]
    assert row["note"] == "left out, fewer than 5 people each: rare"
    assert row["people"] == 37  # of 40: two rare ones are on this side, and one of both groups
    assert row["silhouette"] > 0.4


def test_no_training_people_and_more_people_than_distances_are_taken_of(monkeypatch):
    monkeypatch.setattr(separation, "MOST", 30)
    scores, index = cohort("diagnosis", 6.0)
    table = tabulate_separation(scores, index.assign(split="apply"), 0)
    table = table.set_index(["column", "split"])
    assert table.loc[("diagnosis", "train"), "people"] == 0
    assert table.loc[("diagnosis", "held_out"), ["people", "groups"]].tolist() == [30, 2]
    assert table.loc[("diagnosis", "held_out"), "silhouette"] > 0.4
