import numpy as np
import pytest
from scipy.linalg import expm

from brainlapse.preprocessing.quality.reference import registration_target
from brainlapse.preprocessing.registration.ants import prepare_brain
from brainlapse.preprocessing.registration.least_squares import (
    Squares,
    generators,
    register_squares,
)
from brainlapse.preprocessing.registration.pose import rotation_matrices
from brainlapse.preprocessing.registration.settings import LevelSettings

VOXEL_MM = 4.0
LEVEL = LevelSettings(
    transform="affine", iterations=(30, 30), shrink=(2, 1), smoothing=(1.0, 0.5), sampling=0.5
)
RIGID = LEVEL.model_copy(update={"transform": "rigid"})


@pytest.fixture(scope="module")
def target():
    return registration_target(VOXEL_MM)


@pytest.fixture(scope="module")
def planted():
    transform = np.eye(4)
    transform[:3, :3] = rotation_matrices(np.array([[8.0, -6, 5]]))[0] @ np.diag([0.93, 0.97, 0.9])
    transform[:3, 3] = 6, -9, 5
    return transform


@pytest.fixture(scope="module")
def brain(head, planted):
    return prepare_brain(head.volume, head.mask, planted @ head.affine, VOXEL_MM)


def away_mm(found, planted, head):
    """Mean distance over the brain between where two transforms put it."""
    points = np.argwhere(head.mask)[::50] @ head.affine[:3, :3].T + head.affine[:3, 3]
    difference = found - planted
    return np.linalg.norm(points @ difference[:3, :3].T + difference[:3, 3], axis=1).mean()


def test_a_planted_affine_is_recovered_to_a_twentieth_of_a_voxel(target, brain, planted, head):
    found = register_squares(target, brain, LEVEL, np.eye(4))
    assert away_mm(found, planted, head) < 0.05 * VOXEL_MM


def test_other_starts_end_in_the_same_place(target, brain, planted, head):
    starts = [np.eye(4), np.eye(4)]
    starts[0][:3, :3] = rotation_matrices(np.array([[15.0, 0, -10]]))[0] * 1.08
    starts[1][:3, 3] = -8, 5, 10
    found = [register_squares(target, brain, LEVEL, start) for start in starts]
    assert away_mm(found[0], found[1], head) < 0.02


@pytest.mark.parametrize("gain", [0.25, 8.0])
def test_a_gain_drops_out(target, brain, gain, head):
    volume, affine = brain
    found = [
        register_squares(target, (v, affine), LEVEL, np.eye(4)) for v in (volume, gain * volume)
    ]
    assert away_mm(*found, head) < 0.001


def test_what_another_brain_lacks_hardly_moves_it(target, brain, planted, head):
    volume, affine = brain
    lesion = volume.copy()
    middle = np.array(volume.shape) // 2
    lesion[middle[0] + 3 : middle[0] + 9, middle[1] - 4 : middle[1] + 4, middle[2] : -4] = 0
    assert (volume > 0).sum() - (lesion > 0).sum() > 300
    found = register_squares(target, (lesion, affine), LEVEL, np.eye(4))
    assert away_mm(found, planted, head) < 0.2


def test_a_rigid_level_has_no_scale_and_keeps_the_centre(target, brain, planted, head):
    found = register_squares(target, brain, RIGID, np.eye(4))
    np.testing.assert_allclose(found[:3, :3] @ found[:3, :3].T, np.eye(3), atol=1e-9)
    middle = np.array([*np.argwhere(target[0] > 0).mean(axis=0), 1.0])
    centre = target[1] @ middle
    np.testing.assert_allclose((found @ centre)[:3], (planted @ centre)[:3], atol=1.0)


def test_a_similarity_has_one_scale(target, brain):
    level = LEVEL.model_copy(update={"transform": "similarity"})
    linear = register_squares(target, brain, level, np.eye(4))[:3, :3]
    scale = np.cbrt(np.linalg.det(linear))
    np.testing.assert_allclose(linear @ linear.T, scale**2 * np.eye(3), atol=1e-9)
    assert scale == pytest.approx(np.cbrt(0.93 * 0.97 * 0.9), rel=0.02)


def test_nothing_to_fit_returns_the_start(target):
    start = np.eye(4)
    start[0, 3] = 3.0
    nothing = np.zeros((20, 20, 20), np.float32), np.diag([4.0, 4, 4, 1])
    np.testing.assert_array_equal(register_squares(target, nothing, LEVEL, start), start)


@pytest.mark.parametrize("seed", range(5))
def test_noise_gives_a_finite_transform(target, seed):
    noise = np.random.default_rng(seed).exponential(size=(20, 24, 20)).astype(np.float32)
    affine = np.diag([8.0, 8, 8, 1])
    affine[:3, 3] = -80, -100, -80
    found = register_squares(target, (noise, affine), LEVEL, np.eye(4))
    assert np.isfinite(found).all()
    assert np.linalg.det(found[:3, :3]) > 0


def test_numbers_repeat(target, brain):
    first, again = (register_squares(target, brain, LEVEL, np.eye(4)) for _ in range(2))
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize(("transform", "count"), [("similarity", 7), ("affine", 12)])
def test_directions_are_independent(transform, count):
    basis = generators(transform)
    assert basis.shape == (count, 4, 4)
    assert np.linalg.matrix_rank(basis.reshape(count, 16)) == count


def test_turns_stay_turns():
    moved = expm(np.tensordot([0.3, -0.2, 0.1], generators("similarity")[:3], axes=1))
    np.testing.assert_allclose(moved[:3, :3] @ moved[:3, :3].T, np.eye(3), atol=1e-12)


def test_displacement_of_a_shift_is_its_length(target, brain):
    step = np.eye(4)
    step[:3, 3] = 3.0, 0.0, 4.0
    assert Squares(target, brain, 1.0).moved_mm(step) == pytest.approx(5.0)
