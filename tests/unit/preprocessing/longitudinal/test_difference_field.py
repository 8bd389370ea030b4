import numpy as np
import pytest

from brainlapse.images import resample_to_grid
from brainlapse.preprocessing.longitudinal.difference_field import RATIO_GRID, find_difference
from brainlapse.preprocessing.longitudinal.field import FIELD_GRID, remove_difference
from brainlapse.space import grid_at
from brainlapse.template import load_template_brain

FWHM_MM = 30.0


@pytest.fixture(scope="module")
def brain():
    t1, mask = load_template_brain(RATIO_GRID)
    return t1 * mask


@pytest.fixture(scope="module")
def field():
    """Log of a smooth field: a gain of 1.3, and 8 % from end to end."""
    x, y, z = np.indices(RATIO_GRID.shape) * 4.0
    return np.log(1.3) + 0.04 * np.sin(x / 60) + 0.03 * np.cos(y / 70 + z / 80)


def noise(brain, seed):
    values = np.random.default_rng(seed).normal(0, 0.01, brain.shape)
    return np.where(brain > 0, brain + values, 0)


def test_a_planted_field_is_found(brain, field):
    found = find_difference(noise(brain, 1), noise(brain, 2) * np.exp(field), FWHM_MM)
    left = (found - field)[brain > 0]
    assert left.std() < 0.2 * field[brain > 0].std()
    assert abs(np.median(left)) < 0.003


def test_swapping_the_visits_turns_the_sign(brain, field):
    first, second = noise(brain, 1), noise(brain, 2) * np.exp(field)
    there = find_difference(first, second, FWHM_MM)
    back = find_difference(second, first, FWHM_MM)
    np.testing.assert_allclose(there[brain > 0], -back[brain > 0], atol=1e-4)


def test_a_widened_ventricle_is_no_field(brain):
    """Half of the white matter around the ventricles' bodies turned into fluid."""
    fluid = (brain > 0) & (brain < 0.45)
    centre = np.array(brain.shape) / 2
    near = np.linalg.norm(np.moveaxis(np.indices(brain.shape), 0, -1) - centre, axis=-1) < 7
    grown = np.where(near & ~fluid & (brain > 0.8), 0.32, brain)
    assert (grown != brain).sum() > 30
    found = find_difference(noise(brain, 1), noise(grown, 2), FWHM_MM)
    assert np.abs(found[brain > 0]).max() < 0.02


def test_kept_and_removed_on_another_grid(brain, field):
    kept = resample_to_grid(field, RATIO_GRID.affine, FIELD_GRID)
    grid = grid_at(2.5, (64, 80, 64))
    t1, mask = load_template_brain(grid)
    bright = t1 * np.exp(resample_to_grid(field, RATIO_GRID.affine, grid))
    np.testing.assert_allclose(remove_difference(bright, kept, grid)[mask], t1[mask], atol=2e-3)
