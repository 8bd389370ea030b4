"""Volumes keep their geometry; broken files are named."""

import errno
import gzip

import nibabel as nib
import numpy as np
import pytest

from brainlapse import images
from brainlapse.damage import DamagedFile
from brainlapse.rejection import ScanRejected
from brainlapse.space import SpaceSettings, grid_at, mni_grid

RNG = np.random.default_rng(0)


def blob(grid, centre_mm, radius_mm):
    index = np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"), -1)
    world = index @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    return (np.linalg.norm(world - centre_mm, axis=-1) < radius_mm).astype(np.float32)


def test_saved_volume_comes_back_with_its_geometry(tmp_path):
    volume = RNG.random((5, 6, 7), dtype=np.float32)
    affine = np.array([[0, 0, -2, 10], [-1.5, 0, 0, 5], [0, 1, 0, -3], [0, 0, 0, 1]])
    images.save_volume(tmp_path / "a.nii.gz", volume, affine)
    found, found_affine = images.load_volume(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(found, volume)
    np.testing.assert_allclose(found_affine, affine)


def test_equal_volumes_give_equal_bytes(tmp_path):
    volume = RNG.random((5, 6, 7), dtype=np.float32)
    for name in ("a.nii.gz", "b.nii.gz"):
        images.save_volume(tmp_path / name, volume, np.eye(4))
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


@pytest.mark.parametrize("codes", ["RAS", "LPS", "PSR", "LIA", "AIR"])
def test_canonical_orientation_keeps_world_positions(tmp_path, codes):
    grid = grid_at(4.0, (40, 48, 40))
    volume = blob(grid, (30, -50, 40), 15)
    image = nib.Nifti1Image(volume, grid.affine)
    ornt = nib.orientations.ornt_transform(
        nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(codes)
    )
    nib.save(image.as_reoriented(ornt), tmp_path / "a.nii")
    found, affine = images.load_canonical(tmp_path / "a.nii")
    np.testing.assert_array_equal(found, volume)
    np.testing.assert_allclose(affine, grid.affine)


def test_sphere_keeps_its_volume_under_resampling():
    fine = grid_at(2.0, (80, 96, 80))
    sphere = blob(fine, (10, -20, 5), 30)
    for voxel_mm, shape in ((2.5, (64, 80, 64)), (3.0, (56, 64, 56))):
        grid = grid_at(voxel_mm, shape)
        resampled = images.resample_to_grid(sphere, fine.affine, grid)
        expected_mm3 = sphere.sum() * fine.voxel_volume_mm3
        assert resampled.sum() * grid.voxel_volume_mm3 == pytest.approx(expected_mm3, rel=0.005)


def test_world_transform_maps_grid_to_volume():
    grid = grid_at(2.0, (64, 80, 64))
    volume = blob(grid, (20, -20, 5), 12)
    shift = np.eye(4)
    shift[:3, 3] = (20, 0, 0)  # a grid point at x samples the volume at x + 20
    moved = images.resample_to_grid(volume, grid.affine, grid, shift)
    centre = np.argwhere(moved > 0.5).mean(0) @ grid.affine[:3, :3] + grid.affine[:3, 3]
    np.testing.assert_allclose(centre, (0, -20, 5), atol=0.1)


def test_grid_is_centred_on_the_brain():
    grid = mni_grid(SpaceSettings(voxel_mm=2.5, shape=(64, 80, 64)))
    middle = grid.affine @ [31.5, 39.5, 31.5, 1]
    np.testing.assert_allclose(middle[:3], (0, -17, 5))
    assert grid.voxel_volume_mm3 == pytest.approx(2.5**3)


@pytest.mark.parametrize(
    ("name", "make", "found"),
    [
        ("text.nii.gz", lambda path: path.write_text("hello"), "found text"),
        ("cut.nii.gz", lambda path: truncate(path), "ends early"),
        ("cut.nii", lambda path: truncate(path), "fewer bytes"),
        ("4d.nii.gz", lambda path: save(path, np.ones((4, 4, 4, 3))), "shape (4, 4, 4, 3)"),
        ("2d.nii.gz", lambda path: save(path, np.ones((4, 4))), "shape (4, 4)"),
        (
            "nan.nii.gz",
            lambda path: save(path, np.full((4, 4, 4), np.nan)),
            "64 voxels that are NaN",
        ),
    ],
)
def test_broken_files_are_named_and_their_origin_decides(tmp_path, name, make, found):
    path = tmp_path / name
    make(path)
    for load, error in ((images.load_scan, ScanRejected), (images.load_volume, DamagedFile)):
        with pytest.raises(error) as caught:
            load(path)
        assert str(caught.value).count(name) == 1
        assert found in str(caught.value)
    assert str(caught.value).endswith("delete it and run again")


@pytest.mark.parametrize("error", [OSError(errno.EIO, "Input/output error"), MemoryError()])
@pytest.mark.parametrize("load", [images.load_scan, images.load_volume])
def test_a_fault_of_the_machine_is_none_of_the_file(tmp_path, monkeypatch, load, error):
    path = tmp_path / "whole.nii.gz"
    images.save_volume(path, RNG.random((4, 4, 4)), np.eye(4))

    def fail(*_):
        raise error

    monkeypatch.setattr("brainlapse.nifti.files.check_regular", fail)
    with pytest.raises(type(error)) as caught:
        load(path)
    assert caught.value is error


def test_a_volume_of_another_grid_is_damage(tmp_path):
    path = tmp_path / "mask.nii.gz"
    images.save_volume(path, np.ones((4, 5, 6), np.uint8), np.diag([-1.0, 1, 1, 1]))
    assert images.load_volume(path, (4, 5, 6))[0].all()
    for load in (images.load_volume, images.load_canonical):
        with pytest.raises(DamagedFile, match=r"expected the grid \(4, 5, 7\)"):
            load(path, (4, 5, 7))


def save(path, volume):
    nib.save(nib.Nifti1Image(volume.astype(np.float32), np.eye(4)), path)


def truncate(path):
    save(path, RNG.random((20, 20, 20)))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def test_corrupt_compressed_data_is_rejected(tmp_path):
    path = tmp_path / "a.nii.gz"
    save(path, RNG.random((20, 20, 20)))
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 40] = bytes(40)
    path.write_bytes(bytes(content))
    with pytest.raises(DamagedFile, match="corrupt"):
        images.load_volume(path)


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
def test_both_nifti_versions_are_read(tmp_path, kind):
    volume = RNG.random((4, 5, 6)).astype(np.float32)
    nib.save(kind(volume, np.diag([1, 2, 3, 1])), tmp_path / "a.nii.gz")
    found, affine = images.load_volume(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(found, volume)
    np.testing.assert_array_equal(affine, np.diag([1, 2, 3, 1]))


def test_disagreeing_forms_the_sform_counts_and_a_warning_says_so(tmp_path, caplog):
    path = tmp_path / "forms.nii"
    sform, qform = np.diag([2.0, 2, 2, 1]), np.diag([-2.0, 2, 2, 1])
    image = nib.Nifti1Image(np.ones((10, 10, 10), np.float32), sform)
    image.set_sform(sform, code=1)
    image.set_qform(qform, code=1)
    nib.save(image, path)
    _, affine = images.load_volume(path)
    np.testing.assert_array_equal(affine, sform)
    assert "sform and qform disagree by 36.0 mm; the sform counts" in caplog.text


def test_agreeing_forms_are_no_news(tmp_path, caplog):
    path = tmp_path / "forms.nii.gz"
    images.save_volume(path, np.ones((10, 10, 10), np.float32), np.diag([2.0, 2, 2, 1]))
    images.load_volume(path)
    assert "disagree" not in caplog.text


@pytest.mark.parametrize("dtype", [np.float64, np.int16, np.uint8, np.float32])
def test_every_type_of_voxel_is_read(tmp_path, dtype):
    path = tmp_path / "typed.nii.gz"
    values = np.arange(60).reshape(3, 4, 5)
    nib.save(nib.Nifti1Image(values.astype(dtype), np.eye(4)), path)
    volume, _ = images.load_volume(path)
    assert volume.dtype == np.float32
    np.testing.assert_array_equal(volume, values)


def test_scaled_integers_come_as_their_values(tmp_path):
    path = tmp_path / "scaled.nii.gz"
    image = nib.Nifti1Image(np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.eye(4))
    image.header.set_slope_inter(0.5, 10)
    nib.save(image, path)
    # nibabel rescales on saving: write the stored integers anew under the given slope
    raw = bytearray(gzip.decompress(path.read_bytes()))
    raw[352:] = np.arange(60, dtype="<i2").reshape(3, 4, 5).tobytes(order="F")
    path.write_bytes(gzip.compress(bytes(raw)))
    volume, _ = images.load_volume(path)
    np.testing.assert_allclose(volume, 0.5 * np.arange(60).reshape(3, 4, 5) + 10)
