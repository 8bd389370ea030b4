import numpy as np
import pytest

from brainlapse.preprocessing.quality.reference import registration_grid, registration_target
from brainlapse.preprocessing.registration.ants import prepare_brain
from brainlapse.preprocessing.registration.levels import run_level
from brainlapse.preprocessing.registration.settings import LevelSettings

VOXEL_MM = 4.0
ANTS = {"metric": "correlation", "sampling": 0.5}
RIGID = LevelSettings(
    transform="rigid", iterations=(60, 30), shrink=(4, 2), smoothing=(2.0, 1.0), **ANTS
)
AFFINE = LevelSettings(
    transform="affine", iterations=(80, 40), shrink=(2, 1), smoothing=(1.0, 0.0), **ANTS
)


def rotation(axis, degrees):
    angle = np.deg2rad(degrees)
    matrix = np.eye(4)
    first, second = [other for other in range(3) if other != axis]
    matrix[first, first] = matrix[second, second] = np.cos(angle)
    matrix[first, second], matrix[second, first] = -np.sin(angle), np.sin(angle)
    return matrix


@pytest.fixture(scope="module")
def planted():
    transform = rotation(0, 12) @ rotation(2, -8) @ np.diag([0.93, 0.96, 0.9, 1.0])
    transform[:3, 3] = 6, -9, 5
    return transform


@pytest.fixture(scope="module")
def template():
    return registration_target(VOXEL_MM)


def register(head, template, **changes):
    brain = prepare_brain(*head, VOXEL_MM)
    levels = [level.model_copy(update=changes) for level in (RIGID, AFFINE)]
    rigid = run_level(template, brain, levels[0], 1, np.eye(4))
    return rigid, run_level(template, brain, levels[1], 1, rigid)


@pytest.fixture(scope="module")
def found(head, move, planted, template):
    return register(move(head, planted), template)


def displacement_mm(found, planted, head):
    """Mean distance over the brain between where two transforms put it."""
    points = np.argwhere(head.mask)[::50] @ head.affine[:3, :3].T + head.affine[:3, 3]
    difference = found - planted
    return np.linalg.norm(points @ difference[:3, :3].T + difference[:3, 3], axis=1).mean()


def test_planted_affine_is_recovered(found, planted, head):
    assert displacement_mm(found[1], planted, head) < 1.0
    assert np.linalg.det(found[1]) == pytest.approx(np.linalg.det(planted), rel=0.02)


def test_level_1_only_turns_and_shifts(found):
    linear = found[0][:3, :3]
    np.testing.assert_allclose(linear @ linear.T, np.eye(3), atol=1e-4)


def test_axis_order_does_not_matter(found, planted, head, move, store, template):
    turned = store(move(head, planted), "PSR")
    rigid, affine = register(turned, template)
    np.testing.assert_allclose(rigid, found[0], atol=1e-6)
    np.testing.assert_allclose(affine, found[1], atol=1e-6)


def test_numbers_repeat(found, planted, head, move, template):
    again = register(move(head, planted), template)
    np.testing.assert_array_equal(again[0], found[0])
    np.testing.assert_array_equal(again[1], found[1])


def test_mutual_information_recovers_it_too(planted, head, move, template):
    _, affine = register(move(head, planted), template, metric="mutual_information")
    assert displacement_mm(affine, planted, head) < 2.0


def test_the_metric_may_be_read_near_the_brain_only(found, planted, head, move, template):
    _, affine = register(move(head, planted), template, masked=True)
    assert displacement_mm(affine, planted, head) < 2.0
    assert (affine != found[1]).any()


def test_registration_grid_holds_the_template():
    for voxel_mm in (1.0, 2.0, 4.0):
        grid = registration_grid(voxel_mm)
        extent = np.array(grid.shape) * voxel_mm
        assert (extent >= 190).all()
