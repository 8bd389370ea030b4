"""Blocks of people: a new person touches one of them, and nobody is lost."""

import pandas as pd
import pytest

from brainlapse.cohort.blocks import block_count, gather_blocks, trains, with_blocks


def cohort(people, dataset="d", split="test"):
    subjects = [f"sub-{split}{number:04d}" for number in range(people) for _ in range(2)]
    return pd.DataFrame({"dataset": dataset, "subject": subjects, "split": split})


def test_a_block_holds_whole_people_of_a_bearable_number():
    placed = with_blocks(cohort(2600))
    assert placed.groupby("subject")["block"].nunique().eq(1).all()
    sizes = placed.groupby("block")["subject"].nunique()
    assert len(sizes) == block_count(2600) == 256
    assert sizes.max() < 30


@pytest.mark.parametrize(
    ("people", "blocks"), [(0, 1), (5, 1), (6, 2), (10, 2), (11, 4), (80, 4), (81, 8), (160, 8)]
)
def test_few_people_share_few_blocks(people, blocks):
    assert block_count(people) == blocks


@pytest.mark.parametrize("people", [40, 2000])
def test_a_new_person_touches_one_block(people):
    before, after = with_blocks(cohort(people)), with_blocks(cohort(people + 1))
    joined = before.merge(after, on="subject", suffixes=("_before", "_after"))
    assert (joined["block_before"] == joined["block_after"]).all()


def test_training_people_have_blocks_that_no_other_person_touches():
    training = cohort(90, split="train")
    alone = with_blocks(training)
    both = with_blocks(pd.concat([training, cohort(400)], ignore_index=True))
    assert both.loc[both["split"] == "train", "block"].tolist() == alone["block"].tolist()
    assert both["block"].map(trains).eq(both["split"] == "train").all()
    assert not set(alone["block"]) & set(both.loc[both["split"] == "test", "block"])


def test_no_scans_have_no_blocks():
    assert with_blocks(cohort(0)).empty


def test_blocks_of_one_data_set_know_nothing_of_another():
    alone = with_blocks(cohort(10))
    both = with_blocks(pd.concat([cohort(10), cohort(500, "e")], ignore_index=True))
    assert both.loc[both["dataset"] == "d", "block"].tolist() == alone["block"].tolist()


def test_gathered_tables_stand_in_the_order_of_the_scans():
    index = pd.DataFrame({"dataset": "d", "scan": ["c", "a", "b", "unused"], "split": "test"})
    blocks = [pd.DataFrame({"dataset": "d", "scan": list(n), "mae": 1.0}) for n in ("ab", "c")]
    assert gather_blocks(blocks, index)["scan"].tolist() == ["c", "a", "b"]
