"""A head without its coil profile and glare."""

import numpy as np

from brainlapse.preprocessing.brain_mask.flattening import flatten_head, limit_intensities


def spread(volume, mask):
    return volume[mask].std() / volume[mask].mean()


def test_a_coil_profile_goes(whole_head):
    profile = 8.0 ** np.linspace(1, 0, whole_head.volume.shape[2])
    steep = (whole_head.volume * profile).astype(np.float32)
    flat = flatten_head(steep, whole_head.affine)
    assert flat.min() >= 0
    assert flat.max() <= 1
    low, high = (flat[:, :, part][whole_head.mask[:, :, part]].mean() for part in (
        slice(0, 40), slice(60, None)))  # fmt: skip
    assert 0.7 < low / high < 1.4
    raw_low, raw_high = steep[:, :, :40], steep[:, :, 60:]
    low, high = raw_low[whole_head.mask[:, :, :40]], raw_high[whole_head.mask[:, :, 60:]]
    assert low.mean() > 1.8 * high.mean()


def test_air_stays_dark(whole_head):
    flat = flatten_head(whole_head.volume, whole_head.affine)
    corner = flat[:8, :8, :8]
    assert corner.mean() < 0.3 * flat[whole_head.mask].mean()


def test_glare_is_clipped(whole_head):
    glaring = whole_head.volume.copy()
    glaring[40:44, 40:44, 40:44] = 50 * glaring.max()
    limited = limit_intensities(glaring)
    assert limited[whole_head.mask].mean() > 0.3
