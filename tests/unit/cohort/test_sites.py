"""Sites and scanners are found under the names that tables use."""

import pandas as pd

from brainlapse.cohort.sites import tabulate_places


def scans(**columns):
    people = ["ixi/sub-1", "ixi/sub-2", "ours/sub-1", "ours/sub-1"]
    datasets = ["ixi", "ixi", "clinic", "study"]
    return pd.DataFrame({"dataset": datasets, "person": people, **columns})


def test_a_name_is_one_place_within_the_data_sets_that_share_people():
    found = tabulate_places(scans(Site=["Guys", None, "Guys", "Guys"]))
    assert found["site"].tolist() == ["ixi/Guys", None, "ours/Guys", "ours/Guys"]
    assert found["dataset"].tolist() == ["ixi", "ixi", "clinic", "study"]
    assert found["scanner"].isna().all()


def test_data_sets_may_spell_the_column_each_their_own_way():
    table = scans(centre=["A", None, None, None], site_id=[None, None, 3.0, 4.0])
    assert tabulate_places(table)["site"].tolist() == ["ixi/A", None, "ours/3", "ours/4"]


def test_the_number_of_a_device_goes_before_its_make():
    table = scans(
        Manufacturer="Siemens",
        DeviceSerialNumber=[41, 42, None, None],
        **{"Magnetic Field Strength": 1.5},
    )
    expected = ["ixi/41", "ixi/42", "ours/Siemens", "ours/Siemens"]
    assert tabulate_places(table)["scanner"].tolist() == expected


def test_tables_without_people_take_the_data_set():
    table = scans(scanner="3T").drop(columns="person")
    assert tabulate_places(table)["scanner"].tolist()[:3] == ["ixi/3T", "ixi/3T", "clinic/3T"]
