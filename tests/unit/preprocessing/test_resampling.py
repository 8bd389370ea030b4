import numpy as np
import pytest

from brainlapse.preprocessing.resampling import resample_brain, smoothing_voxels
from brainlapse.preprocessing.settings import ResamplingSettings
from brainlapse.rejection import ScanRejected
from brainlapse.space import Grid, grid_at


def ball(voxel_mm, radius_mm, extent_mm=100.0):
    count = int(extent_mm / voxel_mm)
    affine = np.diag([voxel_mm, voxel_mm, voxel_mm, 1.0])
    affine[:3, 3] = -(count - 1) / 2 * voxel_mm
    axis = np.arange(count) * voxel_mm + affine[0, 3]
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    return x**2 + y**2 + z**2 <= radius_mm**2, affine


def centred_grid(voxel_mm, count):
    _, affine = ball(voxel_mm, 1.0, voxel_mm * count)
    return Grid((count, count, count), affine)


@pytest.mark.parametrize("voxel_mm", [1.0, 2.0, 2.5])
def test_volume_of_a_ball_is_kept(voxel_mm):
    mask, affine = ball(1.0, 30.0)
    grid = centred_grid(voxel_mm, int(90 / voxel_mm))
    _, brain = resample_brain(mask * 5.0, mask, affine, grid, np.eye(4), ResamplingSettings())
    expected_mm3 = 4 / 3 * np.pi * 30**3
    assert brain.sum() * grid.voxel_volume_mm3 == pytest.approx(expected_mm3, rel=0.02)


def test_background_is_zero_and_edges_do_not_ring():
    mask, affine = ball(1.0, 30.0)
    volume = np.where(mask, 100.0, 40.0).astype(np.float32)
    stripped, brain = resample_brain(
        volume, mask, affine, centred_grid(2.0, 45), np.eye(4), ResamplingSettings()
    )
    assert not stripped[~brain].any()
    assert stripped[brain].min() >= 40 * 0.95
    assert stripped[brain].max() <= 100 * 1.05


def test_smoothing_follows_the_ratio_of_voxel_sizes():
    grid = grid_at(2.5, (64, 80, 64))
    assert not smoothing_voxels(np.diag([2.5, 3, 4, 1.0]), grid, np.eye(4)).any()
    sigma = smoothing_voxels(np.diag([1.0, 1, 2.5, 1]), grid, np.eye(4))
    expected = np.sqrt(2.5**2 - 1) / np.sqrt(8 * np.log(2))
    np.testing.assert_allclose(sigma, [expected, expected, 0])


def test_brain_outside_the_grid_is_rejected():
    mask, affine = ball(2.0, 20.0)
    away = np.eye(4)
    away[0, 3] = 500
    with pytest.raises(ScanRejected, match="inside the MNI grid"):
        resample_brain(mask * 1.0, mask, affine, centred_grid(2.0, 40), away, ResamplingSettings())


@pytest.mark.parametrize(("interpolation", "limit"), [("linear", 9), ("cubic", 4)])
def test_interpolations_follow_a_smooth_pattern(interpolation, limit):
    """A wave of 12 mm, shifted by a third of a voxel and turned, against its formula."""
    mask, affine = ball(2.0, 30.0)
    world = np.moveaxis(np.indices(mask.shape), 0, -1) @ affine[:3, :3].T + affine[:3, 3]
    transform = np.eye(4)
    transform[:2, :2] = [[0.96, -0.28], [0.28, 0.96]]
    transform[:3, 3] = 0.7, -0.4, 0.3
    grid = centred_grid(2.0, 40)
    settings = ResamplingSettings(interpolation=interpolation)

    def wave(points):
        return (100 + 50 * np.sin(2 * np.pi * points[..., 0] / 12)).astype(np.float32)

    found, brain = resample_brain(wave(world), mask, affine, grid, transform, settings)
    points = np.moveaxis(np.indices(grid.shape), 0, -1) @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    expected = wave(points @ transform[:3, :3].T + transform[:3, 3])
    assert brain.sum() > 10_000
    assert np.abs(found - expected)[brain].mean() < limit
