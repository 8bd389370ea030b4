import numpy as np
import pytest

from brainlapse.preprocessing.bias import estimate_log_field, remove_field, remove_offset
from brainlapse.preprocessing.orientation import to_canonical
from brainlapse.preprocessing.settings import BiasSettings
from brainlapse.rejection import ScanRejected

SETTINGS = BiasSettings()


@pytest.fixture(scope="module")
def planted(head):
    x, y, z = np.meshgrid(*[np.linspace(-1, 1, n) for n in head.volume.shape], indexing="ij")
    log_bias = 0.4 * y - 0.35 * z**2 + 0.3 * x * y
    log_bias -= log_bias[head.mask].mean()
    return log_bias * 0.4 / np.abs(log_bias[head.mask]).max()


@pytest.fixture(scope="module")
def estimated(head, planted):
    biased = head.volume * np.exp(planted)
    return estimate_log_field(biased, head.mask, head.affine, SETTINGS)


def test_planted_bias_is_found(head, planted, estimated):
    residual = (estimated - planted)[head.mask]
    assert residual.std() < 0.05
    unbiased = estimate_log_field(head.volume, head.mask, head.affine, SETTINGS)
    difference = (estimated - unbiased - planted)[head.mask]
    assert difference.std() < 0.04


def test_the_field_has_mean_zero_and_reaches_everywhere(head, estimated):
    assert abs(estimated[head.mask].mean()) < 1e-5
    assert np.isfinite(estimated).all()
    assert np.abs(estimated).max() < 1.5


def test_axis_order_does_not_matter(head, planted, estimated, store):
    biased = head._replace(volume=head.volume * np.exp(planted).astype(np.float32))
    turned = store(biased, "PSR")
    field = estimate_log_field(turned.volume, turned.mask, turned.affine, SETTINGS)
    back, _ = to_canonical(field, turned.affine)
    np.testing.assert_allclose(back, estimated, atol=1e-4)


def test_gain_does_not_matter(head, planted, estimated):
    biased = 37.0 * head.volume * np.exp(planted)
    field = estimate_log_field(biased, head.mask, head.affine, SETTINGS)
    np.testing.assert_allclose(field, estimated, atol=2e-3)


def test_removing_divides():
    volume = np.full((2, 2, 2), 8.0)
    corrected = remove_field(volume, np.full((2, 2, 2), np.log(2.0)))
    assert corrected.dtype == np.float32
    np.testing.assert_allclose(corrected, 4.0)


def test_no_signal_is_rejected(head):
    with pytest.raises(ScanRejected, match="positive intensities"):
        estimate_log_field(np.zeros_like(head.volume), head.mask, head.affine, SETTINGS)


def test_offset_of_the_scanner_drops_out():
    volume = np.concatenate([np.zeros(2000), np.random.default_rng(0).uniform(0, 900, 8000)])
    volume = volume.reshape(10, 10, 100).astype(np.float32)
    np.testing.assert_allclose(remove_offset(volume + 300), remove_offset(volume), atol=1e-3)
    np.testing.assert_array_equal(remove_offset(volume), volume)  # air is 0 already


@pytest.mark.parametrize("value", [-30000, -200, 0])
def test_a_few_dark_voxels_do_not_decide_the_offset(value):
    volume = np.concatenate([np.full(2000, 100.0), np.linspace(200, 900, 8000)])
    volume = volume.astype(np.float32).reshape(10, 10, 100)
    spoilt = volume.copy()
    spoilt[::5, ::5, ::10] = value  # 0.4 % of all voxels
    same = spoilt != value
    np.testing.assert_allclose(remove_offset(spoilt)[same], remove_offset(volume)[same])
