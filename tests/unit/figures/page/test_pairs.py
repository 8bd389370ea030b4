import pandas as pd

from brainlapse.figures import tables
from brainlapse.figures.page import pairs
from brainlapse.figures.scans.order import paired_scans
from tests.unit.figures import fake_run


def visits() -> pd.DataFrame:
    table = fake_run.fake_visits(fake_run.fake_scans(subjects=2))
    table.loc[1, ["joined", "findings"]] = [False, "not the same person as sub-00_ses-1"]
    return table


def test_both_ends_of_each_pair_are_paired() -> None:
    found = paired_scans(visits())
    names = {f"sub-0{person}_ses-{visit}" for person in range(2) for visit in (1, 2, 3)}
    assert {scan for _, scan in found} == names


def test_only_what_stands_out_is_listed() -> None:
    found = pairs.standing_out(visits())
    assert found["findings"].tolist() == ["not the same person as sub-00_ses-1"]
    assert found["scan"].tolist() == [visits().loc[1, "scan"]]
    assert "moved_mm" in found


def test_a_pair_that_did_not_join_says_so() -> None:
    table = visits()
    keys = zip(table["dataset"], table["scan"], strict=True)
    positions = {key: number for number, key in enumerate(sorted({*keys, *paired_scans(table)}))}
    found = pairs.collect(table, positions)["pairs"]
    assert [pair[2] for pair in found] == [True, False, True, True]
    assert found[1][3] == "not the same person as sub-00_ses-1"
    assert found[0][3] == ""


def test_a_cohort_of_single_visits_has_no_pairs() -> None:
    empty = pd.DataFrame(columns=tables.VISITS)
    assert pairs.collect(empty, {}) == {"columns": [], "pairs": []}
    assert paired_scans(empty) == set()
    assert pairs.standing_out(empty).empty
