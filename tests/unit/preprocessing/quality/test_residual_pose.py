import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from brainlapse.images import resample_to_grid
from brainlapse.preprocessing.quality.residual_pose import residual_pose, rotation_degrees
from brainlapse.space import BRAIN_CENTRE_MM, grid_at
from brainlapse.template import load_template_brain

GRID = grid_at(2.5, (64, 80, 64))


@pytest.fixture(scope="module")
def template():
    t1, mask = load_template_brain(GRID)
    return t1 * mask, mask


def turned(volume, rotation_vector, shift_mm=(0, 0, 0)):
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_rotvec(rotation_vector, degrees=True).as_matrix()
    turn[:3, 3] = BRAIN_CENTRE_MM - turn[:3, :3] @ BRAIN_CENTRE_MM + shift_mm
    return resample_to_grid(volume, GRID.affine, GRID, turn)


@pytest.mark.parametrize("axis", [(10, 0, 0), (0, 10, 0), (0, 0, -10), (4, 4, -4)])
def test_planted_turn_is_found(template, axis):
    t1, mask = template
    found = residual_pose(turned(t1, axis), t1, mask, GRID.affine)
    assert found["residual_degrees"] == pytest.approx(np.linalg.norm(axis), rel=0.05)


def test_planted_shift_is_found_whatever_gain_and_offset(template):
    t1, mask = template
    shifted = 3.0 * turned(t1, (0, 0, 0), (5, -3, 2)) + 0.4
    found = residual_pose(shifted, t1, mask, GRID.affine)
    assert found["residual_mm"] == pytest.approx(np.sqrt(38), rel=0.05)
    assert found["residual_degrees"] < 0.5


def test_right_pose_stays(template):
    t1, mask = template
    noisy = t1 + np.random.default_rng(0).normal(0, 0.1, t1.shape)
    found = residual_pose(noisy, t1, mask, GRID.affine)
    assert found["residual_mm"] < 0.2
    assert found["residual_degrees"] < 0.2


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_images_without_a_brain_give_numbers(template, value):
    t1, mask = template
    found = residual_pose(np.full_like(t1, value), t1, mask, GRID.affine)
    assert all(np.isfinite(number) for number in found.values())


def test_rotation_of_a_scaled_and_sheared_map():
    turn = Rotation.from_rotvec([0, 35, 0], degrees=True).as_matrix()
    assert rotation_degrees(turn @ np.diag([1.1, 0.9, 1.2])) == pytest.approx(35, abs=1e-6)
    assert rotation_degrees(np.eye(3)) == pytest.approx(0, abs=1e-6)
    assert rotation_degrees(np.diag([1.0, -1, -1])) == pytest.approx(180)
