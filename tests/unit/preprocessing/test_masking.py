import numpy as np
import pytest
from scipy import ndimage

from brainlapse.preprocessing import masking
from brainlapse.preprocessing.orientation import to_canonical
from brainlapse.preprocessing.quality import dice
from brainlapse.preprocessing.settings import MaskSettings
from brainlapse.rejection import ScanRejected

SETTINGS = MaskSettings(network_voxels=128)


@pytest.fixture(scope="module")
def whole_head(head):
    """The brain in a dark skull and a bright scalp."""
    distance_mm = ndimage.distance_transform_edt(~head.mask) * 2
    volume = np.where((distance_mm > 8) & (distance_mm < 16), 420, head.volume)
    volume = np.where((distance_mm > 0) & (distance_mm <= 8), 40, volume)
    return head._replace(volume=volume.astype(np.float32))


@pytest.fixture(scope="module")
def found(whole_head):
    return masking.find_brain(whole_head.volume, whole_head.affine, SETTINGS)


def test_the_brain_is_found(found, whole_head):
    assert found.dtype == bool
    assert dice(found, whole_head.mask) > 0.85


def test_the_mask_is_one_piece_without_holes(found):
    assert ndimage.label(found, np.ones((3, 3, 3)))[1] == 1
    assert (ndimage.binary_fill_holes(found) == found).all()


def test_axis_order_does_not_matter(head, store, monkeypatch):
    def first_half(volume, settings):
        return (volume > 100) & (np.arange(volume.shape[0]) < 50)[:, None, None]

    monkeypatch.setitem(masking.METHODS, "deepbet", first_half)
    expected = masking.find_brain(head.volume, head.affine, SETTINGS)
    turned = store(head, "PSR")
    mask = masking.find_brain(turned.volume, turned.affine, SETTINGS)
    assert mask.shape == turned.volume.shape
    np.testing.assert_array_equal(to_canonical(mask, turned.affine)[0], expected)


def test_empty_scan_is_rejected():
    with pytest.raises(ScanRejected, match="every voxel"):
        masking.find_brain(np.zeros((20, 20, 20), np.float32), np.eye(4), SETTINGS)


def test_deepbet_seeing_no_brain_is_a_rejection(head, monkeypatch):
    def see_nothing(self, volume, shape):
        raise AssertionError("Not enough foreground")

    monkeypatch.setattr(masking.BrainExtraction, "run_model", see_nothing)
    with pytest.raises(ScanRejected, match="nothing that looks like a brain"):
        masking.find_brain(head.volume, head.affine, SETTINGS)


@pytest.mark.parametrize("voxel_mm", [0.5, 2.0])
def test_impossible_volume_is_rejected(voxel_mm):
    mask = np.ones((90, 90, 90), bool)
    affine = np.diag([voxel_mm, voxel_mm, voxel_mm, 1.0])
    with pytest.raises(ScanRejected, match="brain mask of 500 to 2500 ml, found"):
        masking.check_volume(mask, affine, SETTINGS)
