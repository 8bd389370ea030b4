"""Headers and bytes that odd programs wrote: read, or rejected with a sentence; nothing else."""

import gzip
import struct
import tracemalloc

import nibabel as nib
import numpy as np
import pytest

from brainlapse.nifti.decoding import decode
from brainlapse.rejection import ScanRejected

SHAPE = (6, 7, 8)
AFFINE = np.array([[0, 0, -2.0, 10], [-3, 0, 0, 5], [0, 4, 0, -3], [0, 0, 0, 1]])
TURN = np.array([[0.8, -0.6, 0, 0], [0.6, 0.8, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
ODD_FLOATS = [0, -1, 0.5, 1.0000005, 2, 1e30, 3e38, -1e30, 1e-45, *map(float, ("nan", "inf"))]
ODD_SHORTS = [0, -1, 1, 2, 5, 8, 99, 255, 999, 32767, -32768]
FIELDS = {  # offset in the header: type, values
    **dict.fromkeys((*range(76, 124, 4), *range(256, 328, 4)), ("<f", ODD_FLOATS)),
    **dict.fromkeys((*range(40, 56, 2), 68, 70, 72, 74, 252, 254), ("<h", ODD_SHORTS)),
    **{offset: ("<b", [0, 1, -1, 3, 127, -128]) for offset in (39, 122, 123, 344, 345, 346, 347)},
    0: ("<i", [0, -1, 540, 349, 2**31 - 1]),
    348: ("<i", [1, -1, 255, 2**31 - 1]),
}


def nifti(affine=AFFINE, sform=True, qform=True, kind=nib.Nifti1Image, seed=0):
    values = np.random.default_rng(seed).integers(0, 900, SHAPE).astype(np.int16)
    image = kind(values, affine)
    image.set_sform(affine, code=int(sform))
    image.set_qform(affine, code=int(qform))
    return bytearray(image.to_bytes()), values


@pytest.mark.parametrize("sform", [True, False])
@pytest.mark.parametrize("packed", [True, False])
def test_every_field_of_a_header_may_be_odd(sform, packed):
    good, _ = nifti(sform=sform)
    read = 0
    for offset, (kind, values) in FIELDS.items():
        for value in values:
            content = bytearray(good)
            struct.pack_into(kind, content, offset, value)
            read += try_to_decode(gzip.compress(content, 1) if packed else bytes(content))
    assert read > 100


@pytest.mark.parametrize("limit", [10**9, None])
@pytest.mark.parametrize(("kind", "size"), [(nib.Nifti1Image, 352), (nib.Nifti2Image, 544)])
def test_random_bytes_in_headers(kind, size, limit):
    rng = np.random.default_rng(0)
    good, _ = nifti(kind=kind)
    read = 0
    for number in range(1000):
        content = bytearray(good)
        for offset in rng.integers(0, size, rng.integers(1, 4)):
            content[offset] = rng.integers(0, 256)
        packed = gzip.compress(content, 1) if number % 2 else bytes(content)
        read += try_to_decode(packed, limit)
    assert 200 < read < 950


def try_to_decode(content, limit=10**9):
    """1 if the content is read; a rejection must be one sentence, any other error fails."""
    with np.errstate(all="raise"):
        try:
            found = decode("scan.nii", content, limit)
        except ScanRejected as rejection:
            reason = str(rejection)
        else:
            assert found.volume.ndim == 3
            assert np.isfinite(found.affine).all()
            return 1
    assert reason.startswith("scan.nii: expected ")
    assert "\n" not in reason
    return 0


def with_quaternion(content, *vector):
    struct.pack_into("<3f", content, 256, *vector)
    return bytes(content)


@pytest.mark.parametrize("length", [1, 1 + 7e-7, 1 + 3e-5])
def test_a_quaternion_longer_than_1_by_rounding_means_half_a_turn(length):
    half_turn = np.diag([-2.0, 3, -4, 1])  # about the second axis: quaternion (0, 0, 1, 0)
    content, values = nifti(half_turn, sform=False)
    found = decode("a.nii", with_quaternion(content, 0, length, 0))
    np.testing.assert_allclose(found.affine, half_turn, atol=1e-6)
    np.testing.assert_array_equal(found.volume, values)


@pytest.mark.parametrize("vector", [(1, 1, 1), (0, 1.01, 0), (float("nan"), 0, 0), (3e38, 0, 0)])
def test_a_quaternion_that_is_none_counts_only_where_it_is_needed(vector):
    content, _ = nifti()
    found = decode("a.nii", with_quaternion(content, *vector))
    np.testing.assert_allclose(found.affine, AFFINE)
    content, _ = nifti(sform=False)
    with pytest.raises(ScanRejected, match="left and right are unknown"):
        decode("a.nii", with_quaternion(content, *vector))


def spoil_sform(content, row):
    struct.pack_into("<4f", content, 280, *row)
    return bytes(content)


@pytest.mark.parametrize("row", [(0, 0, 0, 0), (-3, 0, 0, 5), (float("nan"), 0, 1, 0)])
def test_a_singular_sform_gives_way_to_a_good_qform(row):
    affine = TURN @ np.diag([2.0, 3, 4, 1])
    content, _ = nifti(affine)
    if row[0] == -3:
        row = affine[1]  # the first row equal to the second
    found = decode("a.nii", spoil_sform(content, row))
    np.testing.assert_allclose(found.affine, affine, atol=1e-5)
    assert found.notes == ("its sform is singular or not finite, the qform was used",)
    content, _ = nifti(affine, qform=False)
    with pytest.raises(ScanRejected, match="singular or not finite"):
        decode("a.nii", spoil_sform(content, row))


@pytest.mark.parametrize("axes", ["RAS", "LPS", "PSR", "AIL"])
def test_qform_is_read_as_nibabel_reads_it(axes):
    turn = nib.orientations.ornt_transform(
        nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(axes)
    )
    image = nib.Nifti1Image(np.ones(SHAPE, np.float32), TURN @ np.diag([2.0, 3, 4, 1]))
    image = image.as_reoriented(turn)
    image.set_sform(None, code=0)
    image.set_qform(image.affine, code=1)
    found = decode("a.nii", image.to_bytes())
    np.testing.assert_allclose(found.affine, image.get_qform(), atol=1e-5)


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_both_versions_and_byte_orders(kind, byteorder):
    content, values = nifti(kind=kind)
    image = kind.from_bytes(bytes(content))
    swapped = kind(values, AFFINE, image.header.as_byteswapped(byteorder)).to_bytes()
    found = decode("a.nii", swapped)
    np.testing.assert_array_equal(found.volume, values)
    np.testing.assert_allclose(found.affine, AFFINE)


def test_members_and_zeros_at_the_end_are_part_of_gzip():
    content, values = nifti()
    parts = gzip.compress(content[:400]) + gzip.compress(content[400:]) + bytes(512)
    np.testing.assert_array_equal(decode("a.nii.gz", parts).volume, values)


def test_a_gzip_bomb_is_left_before_it_fills_the_memory():
    content, _ = nifti()
    bomb = gzip.compress(content + bytes(400_000_000), 1)
    tracemalloc.start()
    with pytest.raises(ScanRejected, match="found more than"):
        decode("a.nii.gz", bomb, max_bytes=10**9)
    assert tracemalloc.get_traced_memory()[1] < 60e6
    tracemalloc.stop()


def test_a_header_that_announces_too_much_is_left_before_unpacking():
    content, _ = nifti()
    struct.pack_into("<3h", content, 42, 30000, 30000, 30000)
    with pytest.raises(ScanRejected, match="at most 1000 MB unpacked, found 54000000 MB"):
        decode("a.nii", bytes(content), max_bytes=10**9)
