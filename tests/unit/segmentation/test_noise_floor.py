import numpy as np
import pandas as pd
import pytest

from brainlapse.segmentation.noise_floor import (
    FLOOR_COLUMNS,
    choose_scans,
    measure_floor,
    tabulate_repeats,
)


def repeats(number, again):
    scan = {"dataset": "a", "scan": f"sub-{number}"}
    return tabulate_repeats(scan, "aligned", {"hippocampus": 100.0, "csf": np.nan}, again)


def test_the_floor_is_the_root_mean_square_over_scans():
    tables = [repeats(1, {"hippocampus": 103.0}), repeats(2, {"hippocampus": 96.0})]
    (row,) = measure_floor(tables).to_dict("records")
    assert row["scans"] == 2
    assert row["floor_pct"] == pytest.approx(np.sqrt((9 + 16) / 2), abs=1e-4)
    assert row["largest_pct"] == pytest.approx(4)
    assert row["mean_pct"] == pytest.approx(-0.5)


def test_a_region_that_was_not_measured_has_no_floor():
    found = measure_floor([repeats(1, {"hippocampus": 101.0, "csf": np.nan})])
    assert found["region"].tolist() == ["hippocampus"]


def test_without_repeats_there_are_columns_and_no_rows():
    for tables in ([], [pd.DataFrame()]):
        found = measure_floor(tables)
        assert found.empty
        assert list(found.columns) == list(FLOOR_COLUMNS)


def test_a_further_scan_hardly_changes_the_choice():
    paths = [f"a/sub-{number:02d}/sub-{number:02d}" for number in range(40)]
    before = choose_scans(paths, 6)
    assert len(set(before)) == 6
    assert choose_scans(reversed(paths), 6) == before
    assert len(set(choose_scans([*paths, "a/new/new"], 6)) - set(before)) <= 1
    assert choose_scans(paths[:2], 6) != []
    assert choose_scans(paths, 0) == []
