import numpy as np
import pytest
from scipy.linalg import expm

from brainlapse.preprocessing.longitudinal.alignment import (
    align_brains,
    brain_points_mm,
    mean_distance_mm,
    midway,
)
from brainlapse.preprocessing.registration.ants import prepare_brain

VOXEL_MM = 4.0


@pytest.fixture(scope="module")
def brains(first, second):
    return [prepare_brain(one.volume, one.mask, one.affine, VOXEL_MM) for one in (first, second)]


@pytest.fixture(scope="module")
def there(brains):
    return align_brains(*brains)


def test_a_planted_motion_is_found_to_a_fortieth_of_a_voxel(there, brains, motion):
    assert mean_distance_mm(there.motion, motion, brain_points_mm(brains[0])) < VOXEL_MM / 40
    assert there.correlation > 0.97
    assert there.scale == pytest.approx(1, abs=0.004)


def test_the_motion_is_rigid(there):
    linear = there.motion[:3, :3]
    np.testing.assert_allclose(linear @ linear.T, np.eye(3), atol=1e-9)


def test_from_the_other_side_it_is_the_inverse(there, brains):
    back = align_brains(brains[1], brains[0])
    away = mean_distance_mm(np.linalg.inv(back.motion), there.motion, brain_points_mm(brains[0]))
    assert away < 0.2 * there.apart_mm
    assert back.scale == pytest.approx(1 / there.scale, abs=1e-3)


def test_midway_is_as_far_from_both():
    turn = np.zeros((4, 4))
    turn[:3, :3] = [[0, -0.02, 0.01], [0.02, 0, 0.03], [-0.01, -0.03, 0]]
    turn[:3, 3] = 0.4, -0.2, 0.1
    start = expm(5 * turn)
    np.testing.assert_allclose(midway(start, start @ expm(turn)), start @ expm(turn / 2))


def test_another_person_is_told_apart(brains, stranger):
    other = prepare_brain(stranger.volume, stranger.mask, stranger.affine, VOXEL_MM)
    assert align_brains(brains[0], other).correlation < 0.85
