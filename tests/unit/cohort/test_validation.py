import gzip

import nibabel as nib
import numpy as np
import pytest

from brainlapse.cohort.validation import check_scan
from brainlapse.rejection import ScanRejected
from tests.unit.cohort.conftest import SHAPE, VOXEL_MM, make_image

AFFINE = np.diag([VOXEL_MM, VOXEL_MM, VOXEL_MM, 1])


def save(path, image):
    nib.save(image, path)


def truncated_gz(path):
    save(path, make_image())
    path.write_bytes(path.read_bytes()[:-200])


def damaged_gz(path):
    save(path, make_image())
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def truncated_plain(path):
    save(path.with_name("whole.nii"), make_image())
    path.write_bytes(gzip.compress(path.with_name("whole.nii").read_bytes()[:-100]))


def no_orientation(path):
    image = make_image()
    image.set_sform(AFFINE, code=0)
    image.set_qform(AFFINE, code=0)
    save(path, image)


def singular(path):
    image = make_image()
    image.set_sform(np.diag([VOXEL_MM, VOXEL_MM, 0, 1]), code=1)
    save(path, image)


def filled(value, dtype=np.float32):
    return lambda path: save(path, nib.Nifti1Image(np.full(SHAPE, value, dtype), AFFINE))


def holed(path):
    image = make_image(dtype=np.float32)
    image.dataobj[0, 0, :3] = np.nan
    save(path, image)


BAD = {
    "ends early": truncated_gz,
    "corrupt": damaged_gz,
    "fewer bytes": truncated_plain,
    "found text": lambda path: path.write_text("Git LFS pointer\n"),
    "empty file": lambda path: path.touch(),
    "data of another format": lambda path: path.write_bytes(gzip.compress(bytes(range(256)) * 9)),
    "link to": lambda path: path.symlink_to("/nowhere/scan.nii.gz"),
    "directory": lambda path: path.mkdir(),
    "4D": lambda path: save(path, make_image(shape=(*SHAPE, 3))),
    "2D": lambda path: save(path, make_image(shape=(10, 11, 1))),
    "zeros only": filled(0),
    "the same value 7": filled(7, np.int16),
    "3 voxels that are NaN": holed,
    "colour": lambda path: save(
        path, nib.Nifti1Image(np.zeros(SHAPE, [("R", "u1"), ("G", "u1"), ("B", "u1")]), AFFINE)
    ),
    "left and right are unknown": no_orientation,
    "affine is singular": singular,
    "voxel edges": lambda path: save(path, make_image(affine=np.diag([0.1, 15, 15, 1]))),
    "field of view": lambda path: save(path, make_image(affine=np.diag([5.0, 15, 15, 1]))),
}


@pytest.mark.parametrize("found", BAD)
def test_bad_scans_get_one_clear_sentence(found, tmp_path, settings):
    path = tmp_path / "sub-01_T1w.nii.gz"
    BAD[found](path)
    with pytest.raises(ScanRejected) as rejection:
        check_scan(str(path), settings)
    text = str(rejection.value)
    assert found in text
    assert text.startswith(f"{path}: expected")
    assert ";" in text, "what to do is missing"
    assert "\n" not in text


def test_content_tells_whether_a_file_is_compressed_not_its_name(tmp_path, settings):
    save(tmp_path / "a.nii.gz", make_image())
    save(tmp_path / "b.nii", make_image())
    packed = check_scan(str(tmp_path / "a.nii.gz"), settings)
    (tmp_path / "a.nii.gz").rename(tmp_path / "c.nii")
    (tmp_path / "b.nii").rename(tmp_path / "d.nii.gz")
    for name in ("c.nii", "d.nii.gz"):
        assert check_scan(str(tmp_path / name), settings) == packed


def test_hash_sees_the_image_not_the_file(tmp_path, settings):
    image = make_image(seed=1)
    save(tmp_path / "a.nii.gz", image)
    save(tmp_path / "b.nii", image)
    (tmp_path / "c.nii.gz").write_bytes(gzip.compress((tmp_path / "b.nii").read_bytes(), 1))
    values = np.asarray(image.dataobj)
    save(tmp_path / "d.nii.gz", nib.Nifti1Image(values.astype(np.float64)[..., None], AFFINE))
    save(tmp_path / "e.nii.gz", nib.Nifti2Image(values, AFFINE))
    found = {check_scan(str(path), settings) for path in tmp_path.iterdir()}
    assert len(found) == 1
    save(tmp_path / "f.nii.gz", make_image(seed=2))
    assert check_scan(str(tmp_path / "f.nii.gz"), settings).sha256 != found.pop().sha256


def test_hash_of_the_image_sees_the_geometry_too(tmp_path, settings):
    save(tmp_path / "a.nii.gz", make_image(seed=1))
    save(tmp_path / "b.nii.gz", make_image(seed=1, affine=np.diag([-VOXEL_MM, VOXEL_MM, 15, 1])))
    plain, mirrored = (check_scan(str(tmp_path / f"{x}.nii.gz"), settings) for x in "ab")
    assert plain.sha256 == mirrored.sha256
    assert plain.image_sha256 != mirrored.image_sha256


def test_scaled_integers_oblique_axes_and_trailing_dimension_pass(tmp_path, settings):
    turned = AFFINE[[2, 0, 1, 3]] * np.array([-1, 1, 1, 1])
    image = nib.Nifti1Image(np.asarray(make_image().dataobj)[..., None], turned)
    image.header.set_slope_inter(0.5, 10)
    save(tmp_path / "a.nii.gz", image)
    assert len(check_scan(str(tmp_path / "a.nii.gz"), settings).sha256) == 64


def test_a_failing_disk_is_not_the_fault_of_the_scan(tmp_path, settings, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError(5, "Input/output error")

    save(tmp_path / "a.nii.gz", make_image())
    monkeypatch.setattr("builtins.open", fail)
    with pytest.raises(OSError, match="Input/output"):
        check_scan(str(tmp_path / "a.nii.gz"), settings)
