from dataclasses import replace

import numpy as np
import pytest

from brainlapse.preprocessing.brain_mask import head_pose
from brainlapse.preprocessing.brain_mask.flattening import limit_intensities
from brainlapse.preprocessing.brain_mask.head_pose import find_head_pose
from brainlapse.preprocessing.quality.reference import registration_target
from brainlapse.preprocessing.registration.pose import (
    coarsen,
    find_brain_poses,
    rotation_angle_deg,
    rotation_lattice,
    rotation_matrices,
    rotation_vector_deg,
)

POSES = [((0, 0, 0), (0, 0, 0)), ((45, 0, 0), (50, -10, 20)), ((-20, 30, 27), (-30, 0, -40))]


@pytest.fixture(scope="module")
def target():
    return registration_target(4.0)


def motion(vector_deg, shift_mm):
    transform = np.eye(4)
    transform[:3, :3] = rotation_matrices(np.array([vector_deg], float))[0]
    transform[:3, 3] = shift_mm
    return transform


def displacement_mm(found, planted, head):
    points = np.argwhere(head.mask)[::50] @ head.affine[:3, :3].T + head.affine[:3, 3]
    difference = found - planted
    return np.linalg.norm(points @ difference[:3, :3].T + difference[:3, 3], axis=1).mean()


def test_rotations_about_the_axes_are_the_known_ones():
    quarter = rotation_matrices(np.array([[0, 0, 90.0]]))[0]
    np.testing.assert_allclose(quarter @ [1, 0, 0], [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(rotation_matrices(np.zeros((1, 3)))[0], np.eye(3))
    assert rotation_angle_deg(motion((30, -40, 0), (1, 2, 3))) == pytest.approx(50)


@pytest.mark.parametrize("vector", [(0, 0, 0), (30, -40, 10), (0, 180, 0), (100, 0, 100)])
def test_vectors_and_matrices_undo_each_other(vector):
    rotation = rotation_matrices(np.array([vector], float))[0]
    again = rotation_matrices(rotation_vector_deg(rotation)[None])[0]
    np.testing.assert_allclose(again, rotation, atol=1e-6)


def test_the_lattice_begins_with_no_rotation_and_keeps_its_limit():
    vectors = rotation_lattice(15, 60)
    angles = np.linalg.norm(vectors, axis=1)
    assert angles[0] == 0
    assert angles.max() <= 60
    nearest = np.linalg.norm(vectors - [21.0, -19.0, 8.0], axis=1).min()
    assert nearest < 15 * np.sqrt(3) / 2


@pytest.mark.parametrize(("vector_deg", "shift_mm"), POSES)
def test_a_stripped_brain_is_found(head, target, vector_deg, shift_mm):
    planted = motion(vector_deg, shift_mm)
    brain = (np.where(head.mask, head.volume, 0), planted @ head.affine)
    pose = find_brain_poses(brain, target)[0]
    assert displacement_mm(pose.transform, planted, head) < 4
    assert pose.correlation > 0.9


@pytest.mark.parametrize(("vector_deg", "shift_mm"), POSES[1:])
def test_a_head_with_skull_is_found(whole_head, target, vector_deg, shift_mm):
    planted = motion(vector_deg, shift_mm)
    pose = find_head_pose(
        (limit_intensities(whole_head.volume), planted @ whole_head.affine), target
    )
    assert displacement_mm(pose.transform, planted, whole_head) < 12


def test_more_starts_are_tried_where_the_first_convince_nobody(whole_head, target, monkeypatch):
    planted = motion(*POSES[1])
    head = (limit_intensities(whole_head.volume), planted @ whole_head.affine)
    guesses = head_pose._match_all_shifts(
        coarsen(*head, head_pose.SEARCH_MM), coarsen(*target, head_pose.SEARCH_MM)
    )
    neck = [replace(guess, centre_mm=guess.centre_mm - [0, 0, 200]) for guess in guesses[:3]]
    monkeypatch.setattr(head_pose, "plain_centre_mm", lambda _: neck[0].centre_mm)
    monkeypatch.setattr(head_pose, "_match_all_shifts", lambda *_: neck + guesses)
    pose = find_head_pose(head, target)
    assert displacement_mm(pose.transform, planted, whole_head) < 12
    monkeypatch.setattr(head_pose, "CONVINCING", -1.0)  # content with the first three
    lost = find_head_pose(head, target)
    assert displacement_mm(lost.transform, planted, whole_head) > 30


def test_a_mirrored_brain_is_not_mirrored_back(head, target):
    mirrored = (np.where(head.mask, head.volume, 0)[:, ::-1], head.affine)
    for pose in find_brain_poses(mirrored, target, limit_deg=180.0, count=3):
        assert np.linalg.det(pose.transform[:3, :3]) > 0


def test_several_starts_are_not_the_same_one(head, target):
    brain = (np.where(head.mask, head.volume, 0), head.affine)
    poses = find_brain_poses(brain, target, count=3)
    assert len(poses) == 3
    assert [pose.correlation for pose in poses] == sorted(
        (pose.correlation for pose in poses), reverse=True
    )
