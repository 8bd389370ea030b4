import numpy as np
import pytest

from brainlapse.preprocessing.intensity import normalise, white_matter_peak
from brainlapse.preprocessing.settings import IntensitySettings
from brainlapse.rejection import ScanRejected

METHODS = ["percentiles", "white_matter"]


@pytest.fixture
def brain():
    rng = np.random.default_rng(2)
    mask = np.zeros((30, 30, 30), bool)
    mask[4:26, 4:26, 4:26] = True
    tissue = rng.choice([100.0, 300, 450], p=[0.15, 0.45, 0.4], size=mask.shape)
    volume = np.where(mask, tissue + rng.normal(0, 15, mask.shape), 0)
    return volume.astype(np.float32), mask


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("gain", "offset"), [(0.1, 0), (10, 0), (1, 500), (2.5, -50)])
def test_gain_and_offset_do_not_matter(brain, method, gain, offset):
    volume, mask = brain
    settings = IntensitySettings(method=method)
    reference = normalise(volume, mask, settings)
    changed = normalise(volume * gain + offset, mask, settings)
    np.testing.assert_allclose(changed, reference, atol=2e-5)


@pytest.mark.parametrize("method", METHODS)
def test_range_and_background(brain, method):
    volume, mask = brain
    scaled = normalise(volume + 20, mask, IntensitySettings(method=method))
    assert scaled.dtype == np.float32
    assert scaled.min() == 0
    assert scaled.max() <= 1
    assert not scaled[~mask].any()


def test_white_matter_peak_is_found(brain):
    volume, mask = brain
    values = volume[mask]
    assert white_matter_peak(values, values.min(), values.max()) == pytest.approx(450, abs=8)


def test_the_flank_of_grey_matter_is_no_peak():
    """Most of the brain is grey: its flank reaches above white matter's peak."""
    random = np.random.default_rng(4)
    parts = [
        random.normal(60, 12, 55_000),
        random.normal(100, 8, 18_000),
        random.normal(20, 6, 9000),
    ]
    values = np.concatenate(parts)
    top = float(np.percentile(values, 99.5))
    counts, edges = np.histogram(values, 64)
    start = np.searchsorted(edges, np.percentile(values, 60))
    assert counts[start] > counts[np.searchsorted(edges, 100)]
    assert white_matter_peak(values, 10.0, top) == pytest.approx(100, abs=3)


def test_without_a_peak_the_upper_end_is_taken():
    assert white_matter_peak(np.linspace(0, 1, 1000) ** 3, 0.0, 0.9) == 0.9


def test_flat_brain_is_rejected(brain):
    _, mask = brain
    with pytest.raises(ScanRejected, match="contrast"):
        normalise(np.full(mask.shape, 7.0, np.float32), mask, IntensitySettings())
