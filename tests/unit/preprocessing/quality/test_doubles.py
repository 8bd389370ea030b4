"""One person under two names is found; people who differ, and visits of one, are not."""

import pytest

from brainlapse.preprocessing.quality.doubles import DOUBLE_COLUMNS, find_doubles
from brainlapse.rejection import Rejection
from tests.unit.preprocessing.quality.test_visits import brains, cohort

__all__ = ["brains"]  # a fixture


def test_visits_of_one_person_and_strangers_are_no_doubles(brains):
    found = find_doubles(*cohort(brains))
    assert found.empty
    assert list(found) == DOUBLE_COLUMNS


def test_a_later_visit_of_somebody_else_under_a_new_name_is_found(brains, caplog):
    other = {f"sub-4_ses-{visit}": f"sub-1_ses-{visit % 3 + 1}" for visit in (1, 2, 3)}
    found = find_doubles(*cohort(brains, shown=other))
    assert len(found) == 1
    pair = found.iloc[0]
    assert (pair["subject"], pair["other_subject"]) == ("sub-1", "sub-4")
    assert pair["similarity"] > 0.9
    assert "a/sub-1 and a/sub-4 look like one person" in caplog.text


def test_people_of_two_data_sets_who_are_said_to_be_one_are_no_doubles(brains):
    scans, records = cohort(brains, shown={"sub-4_ses-1": "sub-1_ses-2"}, visits=1)
    one = scans["subject"].replace({"sub-4": "sub-1"})
    assert find_doubles(scans.assign(person=one), records).empty
    assert len(find_doubles(scans, records)) == 1


@pytest.mark.parametrize("left", [0, 2])
def test_too_few_usable_people_give_an_empty_table(brains, left):
    scans, records = cohort(brains, visits=1)
    gone = [Rejection("s", "r")] * (len(records) - left)
    assert find_doubles(scans, records[:left] + gone).empty
