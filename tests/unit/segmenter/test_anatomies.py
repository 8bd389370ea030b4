"""Label maps: what is folded, what is refused, and what a file keeps."""

import dataclasses

import numpy as np
import pytest
from scipy import ndimage

from brainlapse.images import save_volume
from brainlapse.segmentation.labels import LABEL_IDS, STRUCTURES
from brainlapse.segmenter import anatomies
from brainlapse.segmenter.anatomies import (
    OUTSIDE,
    fold_labels,
    prepare_anatomy,
    read_anatomy,
    register_labels,
    save_anatomy,
)
from brainlapse.segmenter.deformation import LATTICE
from brainlapse.segmenter.label_maps import find_label_maps, label_map_name
from tests.unit.segmenter.heads import FINE, head_labels

LESION, VESSEL, CHOROID, FIFTH_VENTRICLE, CHIASM = 77, 62, 63, 72, 85


def test_the_made_head_has_all_structures():
    assert set(np.unique(head_labels()).tolist()) >= LABEL_IDS


def test_small_structures_count_to_those_around_them():
    labels = np.array([[0, 17, LESION, VESSEL], [CHOROID, FIFTH_VENTRICLE, CHIASM, 516]])
    expected = [[0, 17, 2, 41], [43, 4, 0, 0]]
    assert fold_labels(labels.astype(np.uint16)).tolist() == expected


@pytest.mark.parametrize("largest", [3, 60, 1023])
def test_structures_stay_themselves_whatever_the_largest_id(largest):
    ids = np.arange(largest + 1, dtype=np.uint16)
    folded = fold_labels(ids)
    for label in LABEL_IDS:
        if label <= largest:
            assert folded[label] == label
    assert set(folded.tolist()) <= LABEL_IDS


def test_label_maps_are_found_in_order(tmp_path):
    for name in ("b.nii.gz", "a.nii", "readme.txt"):
        (tmp_path / name).touch()
    (tmp_path / "folder.nii").mkdir()
    paths = find_label_maps(tmp_path)
    assert [label_map_name(path) for path in paths] == ["a", "b"]


def test_a_folder_without_label_maps_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"expected label maps .*, found none") as caught:
        find_label_maps(tmp_path)
    assert str(tmp_path) in str(caught.value)


@pytest.fixture
def known_place(monkeypatch):
    """The registration finds what is planted: template world to label map world."""
    moved = np.eye(4)
    moved[:3, 3] = (10.0, -4.0, 6.0)
    monkeypatch.setattr(anatomies, "register_labels", lambda labels, affine: moved)
    return moved


def write_labels(path, labels):
    """As a scan of axes to the left, back and up, with its world shifted by the known place."""
    affine = FINE.affine.copy()
    affine[:3, 3] += (10.0, -4.0, 6.0)
    turned = affine @ np.diag([-1.0, -1.0, 1.0, 1.0])
    turned[:3, 3] = affine[:3, :3] @ (labels.shape[0] - 1, labels.shape[1] - 1, 0) + affine[:3, 3]
    save_volume(path, labels[::-1, ::-1], turned, dtype=np.int16)


def test_label_maps_without_a_structure_are_refused(tmp_path, known_place):
    labels = head_labels()
    labels[np.isin(labels, (STRUCTURES["left amygdala"], STRUCTURES["csf"]))] = 2
    write_labels(tmp_path / "poor.nii.gz", labels)
    with pytest.raises(ValueError, match=r"poor\.nii\.gz: expected .* with the ids \[18, 24\]"):
        prepare_anatomy(tmp_path / "poor.nii.gz", LATTICE)


def test_ids_beyond_the_tables_are_refused(tmp_path, known_place):
    labels = head_labels()
    labels[0, 0, 0] = 2035  # cortical parcels of aparc+aseg have such ids
    write_labels(tmp_path / "parcels.nii.gz", labels)
    with pytest.raises(ValueError, match=r"parcels\.nii\.gz: expected ids below 1024, found 2035"):
        prepare_anatomy(tmp_path / "parcels.nii.gz", LATTICE)


@pytest.fixture
def prepared(tmp_path, known_place):
    write_labels(tmp_path / "head.nii.gz", head_labels())
    return prepare_anatomy(tmp_path / "head.nii.gz", LATTICE)


def test_a_prepared_head_lies_in_mni_space_left_on_the_left(prepared):
    """Middle of a structure in MNI mm, through the crop, the axis order and the registration."""
    assert prepared.name == "head"
    assert prepared.labels.dtype == np.uint16
    assert prepared.labels.max() > OUTSIDE
    to_mni = np.linalg.inv(prepared.from_mni)
    planted = {10: (-13, -20, 0), 49: (13, -20, 0), 17: (-26, -24, -18), 53: (26, -24, -18)}
    for label, middle_mm in planted.items():
        voxel = np.argwhere(prepared.labels == label).mean(axis=0)
        found = to_mni[:3, :3] @ voxel + to_mni[:3, 3]
        assert found == pytest.approx(np.array(middle_mm), abs=1.5), label


def test_the_push_points_away_from_the_ventricles(prepared):
    """Around the left lateral ventricle, a ball of 12 mm at (-16, -20, 20)."""
    push = prepared.ventricle_push
    assert push.shape == (3, *LATTICE.shape)
    length = np.linalg.norm(push, axis=0)
    assert 0.7 < length.max() < 1.35  # about 1: the lattice is coarse for a wall
    for away in ((-1, 0, 0), (0, 1, 0), (-0.6, 0, 0.8)):
        at_wall, further = (
            [ndimage.map_coordinates(part, voxel[:, None], order=1)[0] for part in push]
            for voxel in (lattice_voxel(away, 13), lattice_voxel(away, 25))
        )
        assert np.dot(at_wall, away) > 0.75
        cosine = np.dot(at_wall, away) / np.linalg.norm(at_wall)
        assert cosine > 0.93
        assert 0 < np.dot(further, away) < 0.7 * np.dot(at_wall, away)


def lattice_voxel(direction, distance_mm):
    point = np.array((-16, -20, 20)) + distance_mm * np.array(direction)
    return (point - LATTICE.affine[:3, 3]) / np.diag(LATTICE.affine)[:3]


def test_an_anatomy_survives_a_file(prepared, tmp_path):
    save_anatomy(tmp_path / "head.npz", prepared)
    again = read_anatomy(tmp_path / "head.npz")
    for field in dataclasses.fields(prepared):
        before, after = getattr(prepared, field.name), getattr(again, field.name)
        assert np.array_equal(before, after)
        assert type(before) is type(after)
        assert field.name == "name" or before.dtype == after.dtype


@pytest.mark.slow
def test_a_head_far_from_the_template_is_registered_from_the_template_to_it():
    """The other direction, or a mirror image, would miss the planted place by 60 mm."""
    turned = np.eye(4)
    turned[:2, :2] = [[np.cos(0.2), -np.sin(0.2)], [np.sin(0.2), np.cos(0.2)]]
    turned[:3, 3] = (25, -15, 20)
    found = register_labels(head_labels(), turned @ FINE.affine)
    assert found @ (0, -17, 5, 1) == pytest.approx(turned @ (0, -17, 5, 1), abs=9)
    for axis in range(3):
        column = found[:3, axis] / np.linalg.norm(found[:3, axis])
        assert column @ turned[:3, axis] > 0.96
    assert 0.5 < np.linalg.det(found[:3, :3]) < 1.1  # the made head is smaller
