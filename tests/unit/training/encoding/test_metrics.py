"""Reconstruction metrics inside the mask and on the whole grid."""

import numpy as np
import pytest

from brainlapse.training.encoding.metrics import reconstruction_metrics


@pytest.fixture
def brain():
    random = np.random.default_rng(0)
    mask = np.zeros((24, 24, 24), dtype=bool)
    mask[6:18, 6:18, 6:18] = True
    return np.where(mask, random.random(mask.shape), 0).astype(np.float32), mask


def test_equal_volumes_are_perfect(brain):
    volume, mask = brain
    found = reconstruction_metrics(volume, volume, mask)
    assert found["ssim"] == pytest.approx(1)
    assert found["mae"] == 0
    assert np.isnan(found["psnr_db"])


def test_error_in_the_brain_is_diluted_by_the_background(brain):
    volume, mask = brain
    found = reconstruction_metrics(volume + 0.1 * mask, volume, mask)
    assert found["mae"] == pytest.approx(0.1, rel=1e-5)
    assert found["psnr_db"] == pytest.approx(20, abs=1e-3)
    assert found["mae_whole"] == pytest.approx(0.1 * mask.mean(), rel=1e-5)
    assert found["ssim_whole"] > found["ssim"]


def test_an_empty_mask_is_an_error(brain):
    volume, mask = brain
    with pytest.raises(ValueError, match="empty"):
        reconstruction_metrics(volume, volume, mask & False)
