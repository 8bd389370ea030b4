"""The segmenter as a judge: the error it reports is that of the volumes it measures."""

import numpy as np
import pytest

from brainlapse.segmentation.embedded import judge
from brainlapse.segmentation.errors import ImplausibleImage
from brainlapse.space import grid_at

TRUE = {"hippocampus": 4.0, "ventricles": 20.0, "grey_matter": 600.0, "white_matter": 400.0}
FOUND = {"hippocampus": 5.0, "ventricles": 18.0, "grey_matter": 600.0, "white_matter": 380.0}
SCAN, RECONSTRUCTION = np.zeros((2, 2, 2)), np.ones((2, 2, 2))


@pytest.fixture
def measured(monkeypatch):
    calls = []

    def volumes_mm3(self, volume):
        calls.append(float(volume.sum()))
        return FOUND if volume.any() else TRUE

    monkeypatch.setattr(judge, "load_network", lambda: None)
    monkeypatch.setattr(judge.SegmenterJudge, "volumes_mm3", volumes_mm3)
    return calls


def test_the_error_is_the_mean_over_regions_and_scans_are_measured_once(measured):
    judged = judge.SegmenterJudge(grid_at(2.5, (2, 2, 2)))
    for _ in range(3):
        error = judged.error_pct("made/sub-1", SCAN, RECONSTRUCTION)
        assert error == pytest.approx((25 + 10 + 0 + 5) / 4)
    assert measured.count(0.0) == 1
    assert judged.error_pct("made/sub-2", SCAN, SCAN) == 0


def test_a_reconstruction_without_a_brain_misses_every_volume(measured, monkeypatch):
    judged = judge.SegmenterJudge(grid_at(2.5, (2, 2, 2)))
    judged.error_pct("made/sub-1", SCAN, SCAN)

    def refuse(self, volume):
        message = "expected a brain, found a body of 0 ml"
        raise ImplausibleImage(message)

    monkeypatch.setattr(judge.SegmenterJudge, "volumes_mm3", refuse)
    assert judged.error_pct("made/sub-1", SCAN, RECONSTRUCTION) == 100
    with pytest.raises(ImplausibleImage):  # of the scan itself
        judged.error_pct("made/sub-3", SCAN, RECONSTRUCTION)
