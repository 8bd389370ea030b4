import numpy as np
import pytest
from deepbet import BrainExtraction
from scipy import ndimage

from brainlapse.images import resample_to_grid
from brainlapse.preprocessing.brain_mask import masking, upright
from brainlapse.preprocessing.brain_mask.settings import MaskSettings
from brainlapse.preprocessing.orientation import to_canonical
from brainlapse.preprocessing.quality.measures import dice
from brainlapse.preprocessing.quality.reference import registration_target
from brainlapse.preprocessing.registration.pose import rotation_angle_deg, rotation_matrices
from brainlapse.rejection import ScanRejected
from brainlapse.space import grid_at

SETTINGS = MaskSettings(network_voxels=128)
TARGET = registration_target(4.0)


@pytest.fixture(scope="module")
def found(whole_head):
    return masking.find_brain(whole_head.volume, whole_head.affine, TARGET, SETTINGS)


def test_the_brain_is_found(found, whole_head):
    assert found.dtype == bool
    assert dice(found, whole_head.mask) > 0.85


def test_the_mask_is_one_piece_without_holes(found):
    assert ndimage.label(found, np.ones((3, 3, 3)))[1] == 1
    assert (ndimage.binary_fill_holes(found) == found).all()


def rotated(whole_head, vector_deg, shift_mm):
    """The head turned and shifted inside a larger volume: old world to new world mm."""
    motion = np.eye(4)
    motion[:3, :3] = rotation_matrices(np.array([vector_deg]))[0]
    motion[:3, 3] = shift_mm
    grid = grid_at(2.0, (130, 150, 150))
    back = np.linalg.inv(motion)
    volume = resample_to_grid(whole_head.volume, whole_head.affine, grid, back)
    mask = resample_to_grid(whole_head.mask, whole_head.affine, grid, back) > 0.5
    return whole_head._replace(volume=volume, mask=mask, affine=grid.affine)


def by_threshold(head, affine, target, settings):
    """Stand-in for a network: the brain of the upright head, nothing but its place known."""
    centre = np.array(head.shape) // 2
    near = tuple(slice(middle - 8, middle + 8) for middle in centre)
    pieces, _ = ndimage.label((head > 50) & (head < 400))
    return pieces == np.bincount(pieces[near].ravel())[1:].argmax() + 1


@pytest.mark.parametrize("vector_deg", [(0, 0, 0), (43, 0, 0), (-20, 30, 25)])
def test_methods_see_the_head_upright_however_it_lies(whole_head, vector_deg, monkeypatch):
    seen = []

    def remember(head, affine, target, settings):
        seen.append(affine)
        return by_threshold(head, affine, target, settings)

    monkeypatch.setitem(masking.METHODS, "deepbet", remember)
    turned = rotated(whole_head, vector_deg, (12, -8, 20))
    masking.find_brain(turned.volume, turned.affine, TARGET, SETTINGS)
    back = rotation_matrices(-np.array([vector_deg], float))[0]
    upright = np.eye(4)
    upright[:3, :3] = back @ seen[0][:3, :3] / np.cbrt(np.linalg.det(seen[0][:3, :3]))
    assert rotation_angle_deg(upright) < 10


def test_axis_order_does_not_matter(whole_head, store, monkeypatch):
    monkeypatch.setitem(masking.METHODS, "deepbet", by_threshold)
    expected = masking.find_brain(whole_head.volume, whole_head.affine, TARGET, SETTINGS)
    turned = store(whole_head, "PSR")
    mask = masking.find_brain(turned.volume, turned.affine, TARGET, SETTINGS)
    assert mask.shape == turned.volume.shape
    np.testing.assert_array_equal(to_canonical(mask, turned.affine)[0], expected)


@pytest.mark.parametrize("vector_deg", [(0, 0, 0), (-30, 10, 20)])
def test_the_template_method_is_rough_but_lands(whole_head, vector_deg):
    turned = rotated(whole_head, vector_deg, (12, -8, 20))
    settings = MaskSettings(method="template")
    mask = masking.find_brain(turned.volume, turned.affine, TARGET, settings)
    assert dice(mask, turned.mask) > 0.9


def test_the_template_method_refuses_what_is_no_head():
    noise = np.random.default_rng(0).normal(0, 20, (84, 84, 84))
    cube = np.pad(100 + noise, 6).astype(np.float32)
    settings = MaskSettings(method="template")
    with pytest.raises(ScanRejected, match="resembles the template's, found a correlation"):
        masking.find_brain(cube, np.diag([2, 2, 2, 1.0]), TARGET, settings)


def test_a_stripped_brain_is_its_own_mask(head):
    volume = np.where(head.mask, head.volume + 1, 0)
    mask = masking.find_brain(volume, head.affine, TARGET, SETTINGS)
    assert dice(mask, head.mask) > 0.999


def test_empty_scan_is_rejected():
    with pytest.raises(ScanRejected, match="every voxel"):
        masking.find_brain(np.zeros((20, 20, 20), np.float32), np.eye(4), TARGET, SETTINGS)


def test_deepbet_seeing_no_brain_is_a_rejection(head, monkeypatch):
    def see_nothing(self, volume, shape):
        raise AssertionError("Not enough foreground")

    monkeypatch.setattr(BrainExtraction, "run_model", see_nothing)
    with pytest.raises(ScanRejected, match="nothing that looks like a brain"):
        masking.find_brain(head.volume, head.affine, TARGET, SETTINGS)


@pytest.mark.parametrize("voxel_mm", [0.5, 2.0])
def test_impossible_volume_is_rejected(voxel_mm):
    mask = np.ones((90, 90, 90), bool)
    affine = np.diag([voxel_mm, voxel_mm, voxel_mm, 1.0])
    with pytest.raises(ScanRejected, match="brain mask of 500 to 2500 ml, found"):
        masking.check_volume(mask, affine, SETTINGS)


def test_a_mask_is_carried_back_as_if_sampled_everywhere():
    mask = np.zeros((30, 40, 35), bool)
    mask[8:20, 12:39, 0:22] = True
    box = np.diag([1.4, 1.4, 1.4, 1.0])
    box[:3, :3] = rotation_matrices(np.array([[10.0, -20.0, 35.0]]))[0] @ box[:3, :3]
    box[:3, 3] = 4, -9, 3
    grid, shape = np.diag([1.0, 2.0, 1.5, 1.0]), (44, 30, 40)
    grid[:3, 3] = -12, -8, -10
    everywhere = upright.sample(mask, box, grid, shape) > 0.5
    assert everywhere[0].any()  # a part lies beyond the grid
    np.testing.assert_array_equal(upright.carry_back(mask, box, grid, shape), everywhere)
    assert not upright.carry_back(mask & False, box, grid, shape).any()
