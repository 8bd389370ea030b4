import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from brainlapse.cohort.tables import REJECTED_COLUMNS
from brainlapse.preprocessing.collection import (
    NUMBERS,
    describe_contract,
    list_rejected,
    tabulate_quality,
)
from brainlapse.preprocessing.settings import PreprocessSettings
from brainlapse.rejection import Rejection
from brainlapse.space import SpaceSettings

NUMBERS_FOUND = dict.fromkeys(NUMBERS, 1.0)


@pytest.fixture
def scans():
    return pd.DataFrame(
        {
            "dataset": "ixi",
            "subject": ["sub-1", "sub-2", "sub-3", "sub-4"],
            "session": [None, None, "ses-1", None],
            "scan": ["sub-1", "sub-2", "sub-3_ses-1", "sub-4"],
            "path": ["/a.nii", "/b.nii", "/c.nii", "/d.nii"],
        }
    )


@pytest.fixture
def records():
    return [
        {"status": "accepted", "reasons": [], "numbers": NUMBERS_FOUND},
        Rejection(stage="mask_brain", reason="Expected a head, found nothing."),
        {"status": "flagged", "reasons": ["one", "two"], "numbers": NUMBERS_FOUND},
        {"status": "rejected", "reasons": ["overlap"], "numbers": NUMBERS_FOUND},
    ]


def test_one_row_per_scan(scans, records):
    table = tabulate_quality(scans, records)
    assert list(table["scan"]) == list(scans["scan"])
    assert list(table["status"]) == ["accepted", "rejected", "flagged", "rejected"]
    assert table.loc[2, "reasons"] == "one; two"
    assert pd.isna(table.loc[0, "reasons"])
    assert table.loc[1, list(NUMBERS)].isna().all()


def test_rejected_scans_keep_path_and_stage(scans, records):
    table = list_rejected(scans, tabulate_quality(scans, records))
    assert list(table.columns) == list(REJECTED_COLUMNS)
    assert list(table["path"]) == ["/b.nii", "/d.nii"]
    assert list(table["stage"]) == ["mask_brain", "measure_quality"]
    assert list(table["reason"]) == ["Expected a head, found nothing.", "overlap"]


def test_columns_are_there_without_rejections(scans, records):
    table = list_rejected(scans[:1], tabulate_quality(scans[:1], records[:1]))
    assert_frame_equal(table.iloc[:0], table)
    assert list(table.columns) == list(REJECTED_COLUMNS)


def test_contract_names_grid_intensity_and_template():
    contract = describe_contract(SpaceSettings(), PreprocessSettings())
    assert contract["grid"]["shape"] == [160, 192, 160]
    assert contract["grid"]["orientation"] == "RAS"
    assert contract["intensity"]["range"] == [0.0, 1.0]
    assert len(contract["template"]["sha256"]) == 64
    assert contract["mask"]["method"] == "deepbet"
    assert "antspyx" in contract["versions"]
