import numpy as np
from scipy import ndimage

from brainlapse.preprocessing.blocks import (
    block_affine,
    block_mean,
    brain_box,
    crop_affine,
    shrink_factors,
    spread_samples,
)


def test_crop_keeps_world_coordinates():
    mask = np.zeros((10, 12, 14), bool)
    mask[3:6, 4:9, 1:13] = True
    box = brain_box(mask, 2)
    assert box == (slice(1, 8), slice(2, 11), slice(0, 14))
    affine = np.array([[0, 2.0, 0, 5], [1, 0, 0, 6], [0, 0, 3, 7], [0, 0, 0, 1]])
    corner = crop_affine(affine, box) @ [0, 0, 0, 1]
    np.testing.assert_allclose(corner, affine @ [1, 2, 0, 1])


def test_block_means_keep_a_linear_ramp_in_the_world():
    affine = np.diag([1.0, 1, 2, 1])
    x, y, z = np.meshgrid(*[np.arange(n) for n in (8, 6, 4)], indexing="ij")
    factors = shrink_factors(affine, 2.0)
    assert factors == (2, 2, 1)
    blocks = block_mean(x + 2.0 * y + 3.0 * (2 * z), factors)
    world = block_affine(affine, factors)
    index = np.stack(np.meshgrid(*[np.arange(n) for n in blocks.shape], indexing="ij"), -1)
    place = index @ world[:3, :3].T + world[:3, 3]
    np.testing.assert_allclose(blocks, place @ [1, 2, 3], atol=1e-5)


def test_a_smooth_field_is_evaluated_where_it_was_sampled():
    shape = (40, 44, 48)
    grid = np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij")
    field = 0.3 * grid[0] ** 2 - 0.2 * grid[1] * grid[2]
    samples = field[2::4, 3::4, 1::4]
    spread = spread_samples(samples, np.array([2, 3, 1]), np.array([4, 4, 4]), shape)
    inner = np.s_[6:34, 7:36, 5:40]
    np.testing.assert_allclose(spread[inner], field[inner], atol=5e-3)


def test_a_field_is_spread_as_scipy_does_it():
    samples = np.random.default_rng(0).normal(size=(7, 9, 6))
    first, step, shape = np.array([3.5, 2, 5]), np.array([4, 3, 5]), (30, 33, 41)
    places = [(np.arange(n) - f) / s for n, f, s in zip(shape, first, step, strict=True)]
    grid = np.stack(np.meshgrid(*places, indexing="ij"))
    expected = ndimage.map_coordinates(samples, grid, order=3, mode="nearest")
    np.testing.assert_allclose(spread_samples(samples, first, step, shape), expected, atol=1e-5)
