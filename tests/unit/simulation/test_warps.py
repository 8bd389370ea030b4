"""Diffeomorphisms stay diffeomorphic and do what they are asked for."""

import numpy as np
import pytest

from brainlapse.simulation.acquisition import SITES, brain_contrast, receive_field, record
from brainlapse.simulation.ageing import log_volume_change
from brainlapse.simulation.anatomy import AGEING_GRID, build_anatomy
from brainlapse.simulation.scans import SHAPE_GRID, build_shape, fit_affine
from brainlapse.simulation.settings import SimulationSettings
from brainlapse.simulation.subjects import plan_subjects
from brainlapse.simulation.warps import (
    axis_aligned_grid,
    exponential,
    random_velocity,
    velocity_with_divergence,
)

GRID = axis_aligned_grid((-60, -60, -60), (60, 60, 60), 4.0)


def test_inverse_is_the_exponential_of_the_negative_field():
    velocity = random_velocity(np.random.default_rng(0), GRID, kernel_mm=16, amplitude_mm=4)
    points = np.random.default_rng(1).uniform(-35, 35, (3, 500)).astype(np.float32)
    back = exponential(-velocity, GRID)(exponential(velocity, GRID)(points))
    assert np.abs(back - points).max() < 0.5
    assert np.abs(exponential(velocity, GRID)(points) - points).max() > 3


def test_poisson_velocity_has_the_divergence():
    x = np.linspace(-60, 60, GRID.shape[0])
    squared = x[:, None, None] ** 2 + x[None, :, None] ** 2 + x[None, None, :] ** 2
    divergence = np.exp(-squared / (2 * 14.0**2))
    velocity = velocity_with_divergence(divergence, 4.0)
    measured = sum(np.gradient(velocity[axis], 4.0, axis=axis) for axis in range(3))
    inner = (slice(3, -3),) * 3
    np.testing.assert_allclose(measured[inner], (divergence - divergence.mean())[inner], atol=0.03)


@pytest.mark.parametrize("shape_mm", [5.0, 8.0])
def test_subject_warps_do_not_fold(shape_mm):
    settings = SimulationSettings(subjects=2, shape_mm=shape_mm)
    anatomy = build_anatomy()
    for subject in plan_subjects(settings, seed=0):
        shape = build_shape(anatomy, subject, settings, seed=0)
        assert shape.jacobian.min() > 0
        assert shape.back.jacobian().min() > 0
        assert shape.jacobian.shape == SHAPE_GRID.shape


@pytest.mark.parametrize(
    "log_change", [(0.0, 0.0, 0.0), (-0.9, 0.2, 0.08), (0.8, -0.25, -0.1), (1.5, -0.5, -0.15)]
)
def test_ageing_reaches_planted_volumes_without_folding(log_change):
    anatomy = build_anatomy()
    warp = anatomy.ageing.warp(anatomy.ageing.coefficients_for(np.array(log_change)))
    reached = log_volume_change(warp, anatomy.coarse_maps)
    np.testing.assert_allclose(reached, log_change, atol=0.03)
    assert warp.jacobian().min() > 0
    assert warp.grid is AGEING_GRID


def test_affine_fit_recovers_an_affine():
    rng = np.random.default_rng(0)
    affine = np.eye(4)
    affine[:3] += 0.1 * rng.standard_normal((3, 4))
    points = rng.uniform(-80, 80, (3, 200))
    targets = affine[:3, :3] @ points + affine[:3, 3:]
    np.testing.assert_allclose(fit_affine(points, targets), affine, atol=1e-9)


def test_contrast_keeps_the_order_of_tissues():
    for site in SITES:
        fluid, grey, white = brain_contrast(np.array([0.32, 0.75, 1.0]), site)
        assert fluid < grey < white


def test_field_is_smooth_and_bounded_and_noise_is_rician():
    rng = np.random.default_rng(0)
    points = rng.uniform(-100, 100, (3, 20000)).astype(np.float32)
    field = receive_field(points, 0.25, rng)
    assert 0.75 <= field.min() < 0.9
    assert 1.1 < field.max() <= 1.25
    empty = record(np.zeros(20000, np.float32), np.ones(20000), SITES[1], 0.05, rng)
    assert empty.mean() == pytest.approx(0.05 * np.sqrt(np.pi / 2), rel=0.03)
