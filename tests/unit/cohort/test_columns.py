import pytest

from brainlapse.cohort.columns import SCAN_COLUMNS, find_named


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("group", "group"),
        ("gender", "Gender"),
        ("diagnosis", "diagnosis"),
        ("age", "age_years"),
        ("AGE_at_scan", "age_years"),
        ("age_years", "age_years"),
        ("status", "status_stated"),
        ("path", "path_stated"),
        ("split", "split"),
        ("mmse", "MMSE"),
        ("nowhere", None),
        ("site", None),  # Site and SITE
    ],
)
def test_columns_are_found_by_the_users_names(name, column):
    columns = [*SCAN_COLUMNS, "group", "Gender", "status_stated", "path_stated", "MMSE"]
    assert find_named(name, [*columns, "Site", "SITE", "status"]) == column
