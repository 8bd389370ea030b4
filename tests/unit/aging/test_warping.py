"""Borders of a real scan moved by what two blurred images say of them."""

import numpy as np
import pytest
from scipy import ndimage

from brainlapse.aging.warping import warp_scan

SHAPE = (40, 40, 40)
FAR = np.linalg.norm(np.indices(SHAPE).T - 19.5, axis=-1)
MASK = FAR < 17


def brain(radius, detail):
    """White matter with a dark ball in the middle, its border one voxel wide, and detail."""
    inside = np.clip(radius - FAR + 0.5, 0, 1)
    return np.where(MASK, 0.8 - 0.6 * inside + detail, 0)


def ball(image):
    """Voxels of the dark ball, parts of voxels counted."""
    return float(np.clip((0.8 - image[FAR < 12]) / 0.6, 0, 1).sum())


def decode(image):
    """What an autoencoder gives back: blurred, and a little dark."""
    return np.where(MASK, 0.97 * ndimage.gaussian_filter(image, 1.2), 0)


@pytest.mark.parametrize(("radius", "later"), [(6.0, 7.0), (7.0, 6.3)])
def test_a_ball_grows_as_the_blurred_one_does_and_keeps_its_edge(radius, later):
    generator = np.random.default_rng(0)
    detail = 0.02 * ndimage.gaussian_filter(generator.normal(size=SHAPE), 0.7)
    scan, target = brain(radius, detail), brain(later, detail)
    smooth = brain(radius, 0), brain(later, 0)
    moved = warp_scan(scan, decode(smooth[0]), decode(smooth[1]), MASK, voxel_mm=2.5)
    true = ball(target) - ball(scan)
    assert ball(moved) - ball(scan) == pytest.approx(true, rel=0.2)
    assert np.abs(moved - target)[MASK].mean() < 0.5 * np.abs(scan - target)[MASK].mean()
    edge = np.abs(FAR - later) < 2
    decoded = decode(smooth[1])
    assert np.abs(moved - target)[edge].mean() < 0.5 * np.abs(decoded - target)[edge].mean()
    assert (moved[~MASK] == 0).all()


def test_no_change_between_the_decodings_leaves_the_scan_alone():
    scan = brain(6.0, 0.0)
    blurred = decode(scan)
    np.testing.assert_allclose(warp_scan(scan, blurred, blurred, MASK, 1.0), scan, atol=1e-6)
