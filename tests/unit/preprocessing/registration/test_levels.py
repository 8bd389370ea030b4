import numpy as np
import pytest

from brainlapse.images import resample_to_grid
from brainlapse.preprocessing.quality.reference import registration_target
from brainlapse.preprocessing.registration import levels
from brainlapse.preprocessing.registration.ants import prepare_brain
from brainlapse.preprocessing.registration.fit import FitJudge
from brainlapse.preprocessing.registration.levels import (
    LevelRun,
    check_result,
    register_brain,
    register_level,
)
from brainlapse.preprocessing.registration.pose import rotation_matrices
from brainlapse.preprocessing.registration.settings import LevelSettings, RegistrationSettings
from brainlapse.rejection import ScanRejected
from brainlapse.space import Grid

VOXEL_MM = 4.0
SETTINGS = RegistrationSettings(
    voxel_mm=VOXEL_MM,
    levels=(
        LevelSettings(
            transform="rigid",
            initialisation="search",
            iterations=(40,),
            shrink=(2,),
            smoothing=(1.0,),
            min_correlation=0.6,
        ),
        LevelSettings(transform="affine", iterations=(60, 30), shrink=(2, 1), smoothing=(1.0, 0.0)),
    ),
)
RIGID, AFFINE = SETTINGS.levels


@pytest.fixture(scope="module")
def target():
    return registration_target(VOXEL_MM)


@pytest.fixture(scope="module")
def planted():
    transform = np.eye(4)
    turn = rotation_matrices(np.array([[25.0, -20, 30]]))[0]
    transform[:3, :3] = turn @ np.diag([0.93, 0.96, 0.9])
    transform[:3, 3] = 40, -15, 30
    return transform


@pytest.fixture(scope="module")
def brain(head, planted):
    return prepare_brain(head.volume, head.mask, planted @ head.affine, VOXEL_MM)


def test_a_brain_far_from_the_template_lands(brain, target, planted, head):
    rigid, affine = register_brain(target, brain, SETTINGS)
    points = np.argwhere(head.mask)[::50] @ head.affine[:3, :3].T + head.affine[:3, 3]
    difference = affine - planted
    away = np.linalg.norm(points @ difference[:3, :3].T + difference[:3, 3], axis=1)
    assert away.mean() < 1.0
    np.testing.assert_allclose(rigid[:3, :3] @ rigid[:3, :3].T, np.eye(3), atol=1e-4)


def test_the_fit_tells_the_true_pose_from_others(brain, target, planted):
    judge = FitJudge(brain, target)
    true = judge.fit(planted)
    assert true.correlation > 0.95
    assert true.overlap > 0.95
    turned = planted.copy()
    turned[:3, :3] = turned[:3, :3] @ rotation_matrices(np.array([[15.0, 0, 0]]))[0]
    assert judge.fit(turned).correlation < 0.85


def test_a_scale_that_is_left_for_later_does_not_count(head, target):
    small = prepare_brain(head.volume, head.mask, np.diag([0.8, 0.8, 0.8, 1]) @ head.affine, 4.0)
    judge = FitJudge(small, target)
    centred = np.eye(4)
    centred[:3, 3] = -0.2 * np.array([0, -22, 9])  # carries the centre to where the small one is
    assert judge.fit(centred).overlap < 0.75
    assert judge.fit(centred, free_scale=True).overlap > 0.95


def test_a_failed_level_is_tried_again_from_other_starts(brain, target, monkeypatch):
    runs = []
    true_run = levels.run_level

    def fail_first(target, brain, level, seed, start):
        runs.append(level.sampling)
        return np.eye(4) if len(runs) == 1 else true_run(target, brain, level, seed, start)

    monkeypatch.setattr(levels, "run_level", fail_first)
    found = register_level(target, brain, LevelRun(RIGID, SETTINGS.retry, 1))
    assert len(runs) == 1 + SETTINGS.retry.starts
    assert runs[1:] == [SETTINGS.retry.sampling] * SETTINGS.retry.starts
    assert FitJudge(brain, target).fit(found, free_scale=True).correlation > 0.9


def test_a_good_level_is_run_once(brain, target, planted, monkeypatch):
    runs = []
    monkeypatch.setattr(levels, "run_level", lambda *given: runs.append(given) or planted)
    register_level(target, brain, LevelRun(AFFINE, SETTINGS.retry, 1), planted)
    assert len(runs) == 1


def test_what_does_not_fit_is_rejected_with_its_numbers(brain, target, planted):
    away = planted.copy()
    away[:3, 3] += 30
    words = r"correlation 0\.\d+ and overlap 0\.\d+ \(at least 0.55 and 0.8\)"
    with pytest.raises(ScanRejected, match=words) as caught:
        check_result(away, target, brain, AFFINE, SETTINGS.limits)
    assert "wrong" not in str(caught.value)


@pytest.mark.parametrize("axis", [1, 2])
def test_a_header_that_lies_is_named(head, target, axis):
    """Stored back to front or upside down, without saying so: fits only when turned about."""
    volume, mask = np.flip(head.volume, axis), np.flip(head.mask, axis)
    lying = prepare_brain(volume, mask, head.affine, VOXEL_MM)
    with pytest.raises(ScanRejected, match=r"turned by 1[5-8]\d degrees .* left and right"):
        check_result(np.eye(4), target, lying, AFFINE, SETTINGS.limits)


def test_a_true_header_is_believed(brain, target, planted):
    check_result(planted, target, brain, AFFINE, SETTINGS.limits)


@pytest.mark.parametrize("initialisation", ["header", "centres"])
def test_other_starts(head, target, initialisation):
    brain = prepare_brain(head.volume, head.mask, head.affine, VOXEL_MM)
    level = RIGID.model_copy(update={"initialisation": initialisation})
    found = register_level(target, brain, LevelRun(level, SETTINGS.retry, 1))
    np.testing.assert_allclose(found, np.eye(4), atol=0.5)


@pytest.mark.parametrize("voxel_mm", [(3.0, 3.0, 3.0), (1.0, 1.0, 4.0), (0.7, 1.4, 1.4)])
def test_voxels_of_any_size_and_thick_slices_land(head, target, voxel_mm):
    ratio = np.array(voxel_mm) / 2.0
    affine = head.affine @ np.diag([*ratio, 1.0])
    shape = tuple(np.ceil(np.array(head.volume.shape) / ratio).astype(int))
    grid = Grid(shape, affine)
    volume = resample_to_grid(head.volume, head.affine, grid)
    mask = resample_to_grid(head.mask, head.affine, grid) > 0.5
    found = register_brain(target, prepare_brain(volume, mask, affine, VOXEL_MM), SETTINGS)[-1]
    points = np.argwhere(head.mask)[::50] @ head.affine[:3, :3].T + head.affine[:3, 3]
    away = points @ (found - np.eye(4))[:3, :3].T + found[:3, 3]
    assert np.linalg.norm(away, axis=1).mean() < 1.0
