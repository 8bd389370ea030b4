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


def test_flat_brain_is_rejected(brain):
    _, mask = brain
    with pytest.raises(ScanRejected, match="contrast"):
        normalise(np.full(mask.shape, 7.0, np.float32), mask, IntensitySettings())
