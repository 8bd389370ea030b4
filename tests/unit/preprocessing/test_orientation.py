import itertools

import nibabel as nib
import numpy as np
import pytest

from brainlapse.images import load_canonical, save_volume
from brainlapse.preprocessing.orientation import (
    from_canonical,
    to_canonical,
    voxel_sizes_mm,
    voxel_volume_ml,
)

CODES = ["RAS", "LPS", "PSR", "LIA", "AIL"]


def stored(volume, affine, codes):
    image = nib.Nifti1Image(volume, affine)
    turn = nib.orientations.ornt_transform(
        nib.io_orientation(affine), nib.orientations.axcodes2ornt(codes)
    )
    turned = image.as_reoriented(turn)
    return np.asarray(turned.dataobj), turned.affine


@pytest.fixture
def scan():
    affine = np.diag([1.0, 2, 3, 1])
    affine[:3, 3] = -4, 5, 6
    return np.random.default_rng(1).random((5, 6, 7)), affine


@pytest.mark.parametrize("codes", CODES)
def test_axis_order_is_undone(scan, codes):
    volume, affine = stored(*scan, codes)
    turned, turned_affine = to_canonical(volume, affine)
    np.testing.assert_array_equal(turned, scan[0])
    np.testing.assert_allclose(turned_affine, scan[1])
    np.testing.assert_array_equal(from_canonical(turned, affine), volume)


def test_it_agrees_with_reading_from_disk(scan, tmp_path):
    volume, affine = stored(*scan, "PSR")
    save_volume(tmp_path / "scan.nii.gz", volume.astype(np.float32), affine)
    read, read_affine = load_canonical(tmp_path / "scan.nii.gz")
    turned, turned_affine = to_canonical(volume.astype(np.float32), affine)
    np.testing.assert_array_equal(read, turned)
    np.testing.assert_allclose(read_affine, turned_affine, atol=1e-5)


def test_voxel_sizes_of_an_oblique_grid():
    angle = 0.3
    rotation = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    for sizes in itertools.permutations((1.0, 2.0, 3.0)):
        affine = np.eye(4)
        affine[:3, :3] = rotation @ np.diag(sizes)
        np.testing.assert_allclose(voxel_sizes_mm(affine), sizes)
        assert voxel_volume_ml(affine) == pytest.approx(0.006)
