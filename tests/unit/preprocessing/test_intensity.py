import numpy as np
import pytest

from brainlapse.preprocessing.intensity import find_anchors, normalise, white_matter_peak
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
    peak = white_matter_peak(values, values.min(), values.max(), np.percentile(values, 60))
    assert peak == pytest.approx(450, abs=8)


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
    least = float(np.percentile(values, 60))
    assert counts[np.searchsorted(edges, least)] > counts[np.searchsorted(edges, 100)]
    assert white_matter_peak(values, 10.0, top, least) == pytest.approx(100, abs=3)


def test_without_a_peak_the_upper_end_is_taken():
    values = np.linspace(0, 1, 1000) ** 3
    assert white_matter_peak(values, 0.0, 0.9, np.percentile(values, 60)) == 0.9


def low_contrast(seed=5):
    """An old brain: much fluid, grey and white matter that overlap, and what the template says.

    Of what the template calls white, a tenth is fluid and a tenth grey.
    """
    random = np.random.default_rng(seed)
    sizes = {"fluid": 40_000, "grey": 35_000, "white": 25_000}
    means, spreads = {"fluid": 60, "grey": 250, "white": 310}, 30
    values = np.concatenate([random.normal(means[name], spreads, n) for name, n in sizes.items()])
    white = np.zeros(len(values))
    white[75_000:97_500] = 1
    white[[*range(2_500), *range(40_000, 42_500)]] = 1
    return values, white


def test_white_matter_that_drowns_in_grey_is_found_where_the_template_has_it():
    values, white = low_contrast()
    settings = IntensitySettings()
    assert find_anchors(values, settings)[1] < 280  # both together: a fifth too low
    assert find_anchors(values, settings, white)[1] == pytest.approx(310, abs=8)
    scaled = 3.7 * values + 11  # another gain and offset
    assert find_anchors(scaled, settings, white)[1] == pytest.approx(3.7 * 310 + 11, abs=30)


def test_a_few_voxels_of_white_matter_make_no_histogram():
    values, white = low_contrast()
    white[np.flatnonzero(white)[400:]] = 0
    found = find_anchors(values, IntensitySettings(), white)
    assert found == find_anchors(values, IntensitySettings())


def test_flat_brain_is_rejected(brain):
    _, mask = brain
    with pytest.raises(ScanRejected, match="contrast"):
        normalise(np.full(mask.shape, 7.0, np.float32), mask, IntensitySettings())
