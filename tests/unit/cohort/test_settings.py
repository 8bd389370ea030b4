import pytest
from pydantic import ValidationError

from brainlapse.cohort.settings import CohortSettings, DatasetSettings
from brainlapse.cohort.tables import scan_path


def test_exactly_one_source():
    assert DatasetSettings(bids="/data").role == "fit"
    for sources in ({}, {"bids": "/data", "simulate": {}}):
        with pytest.raises(ValidationError, match="exactly one of bids"):
            DatasetSettings.model_validate(sources)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"validation_fraction": 0.5, "test_fraction": 0.5}, "subjects are left to train"),
        ({"min_voxel_mm": 3, "max_voxel_mm": 2}, "min_voxel_mm"),
        ({"unknown": 1}, "Extra inputs"),
    ],
)
def test_contradictions_are_named(values, message):
    with pytest.raises(ValidationError, match=message):
        CohortSettings(**values)


def test_scan_path():
    assert scan_path("d", "sub-1", "ses-2") == "d/sub-1/ses-2/sub-1_ses-2"
    for none in (None, float("nan"), "n/a", ""):
        assert scan_path("d", "sub-1", none) == "d/sub-1/sub-1"
