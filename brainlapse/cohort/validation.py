"""Read a raw scan once, in full; refuse what cannot be a usable T1w head, in one sentence."""

import errno
import gzip
import hashlib
import zlib
from pathlib import Path

import nibabel as nib
import numpy as np

from brainlapse.cohort.settings import CohortSettings
from brainlapse.rejection import ScanRejected

GZIP_MAGIC = b"\x1f\x8b"
HEADER_SIZES = {348: nib.Nifti1Image, 540: nib.Nifti2Image}
# Faults of one file. Others (a failing disk, memory) are no property of the scan and stop the job.
FILE_ERRNOS = {errno.ENOENT, errno.EACCES, errno.EISDIR, errno.ELOOP, errno.ENOTDIR, errno.EPERM}


def check_scan(path: str, settings: CohortSettings) -> str:
    """Validate one scan.

    Parameters
    ----------
    path
        NIfTI file, compressed or not.

    Returns
    -------
    str
        SHA-256 of shape and voxel values (float32, little-endian, first axis fastest): equal for
        one image in two files, however they are compressed or named and whatever data type.

    Raises
    ------
    ScanRejected
        The scan cannot be used; the message says what was expected, found and what to do.
    """
    image = decode(path, read_file(path))
    check_shape(path, image.shape)
    check_geometry(path, image, settings)
    volume = read_voxels(path, image)  # (X, Y, Z)
    check_values(path, volume)
    return hash_volume(volume)


def read_file(path: str) -> bytes:
    """Bytes of a file; a missing, empty or forbidden one is rejected."""
    link = Path(path)
    if link.is_symlink() and not link.exists():
        message = (
            f"{path}: expected a scan, found a link to {link.readlink()}, which does not exist; "
            "fetch the file (datalad get, git annex get) or mend the link"
        )
        raise ScanRejected(message)
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        if error.errno not in FILE_ERRNOS:
            raise
        message = f"{path}: expected a readable file, found: {error.strerror}; mend or remove it"
        raise ScanRejected(message) from error
    if not content:
        message = f"{path}: expected a scan, found an empty file; fetch or copy it again"
        raise ScanRejected(message)
    return content


def decode(path: str, content: bytes) -> nib.Nifti1Image:
    """Unpack the bytes of a NIfTI-1 or NIfTI-2 file; voxels stay unread."""
    if path.endswith(".gz"):
        content = gunzip(path, content)
    elif content.startswith(GZIP_MAGIC):
        message = f"{path}: expected uncompressed NIfTI, found gzip; rename the file to .nii.gz"
        raise ScanRejected(message)
    sizes = {int.from_bytes(content[:4], order) for order in ("little", "big")}
    kind = next((HEADER_SIZES[size] for size in sizes if size in HEADER_SIZES), None)
    if kind is None or len(content) < 352:
        message = f"{path}: expected a NIfTI image, found {_looks_like(content)}; convert it again"
        raise ScanRejected(message)
    try:
        return kind.from_bytes(content)
    except (nib.spatialimages.HeaderDataError, nib.filebasedimages.ImageFileError) as error:
        raise _corrupt(path, error) from error


def gunzip(path: str, content: bytes) -> bytes:
    """Decompress in one go; the checksum at the end proves that the file is whole."""
    if not content.startswith(GZIP_MAGIC):
        found = _looks_like(content)
        advice = "fetch the image itself" if found == "text" else "compress it or name it .nii"
        message = f"{path}: expected gzip-compressed NIfTI, found {found}; {advice}"
        raise ScanRejected(message)
    try:
        return gzip.decompress(content)
    except EOFError as error:
        message = (
            f"{path}: expected a whole gzip file, found one that ends early "
            f"(truncated after {len(content)} bytes); copy or download it again"
        )
        raise ScanRejected(message) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise _corrupt(path, error) from error


def check_shape(path: str, shape: tuple[int, ...]) -> None:
    """Refuse all but one three-dimensional volume."""
    spatial = shape[:3]
    if any(size > 1 for size in shape[3:]):
        message = (
            f"{path}: expected one 3D volume, found 4D data of shape {shape}; "
            "keep a single volume per T1w file"
        )
        raise ScanRejected(message)
    if len(spatial) < 3 or min(spatial) < 2:
        message = (
            f"{path}: expected a 3D volume, found a 2D image of shape {shape}; "
            "give the whole volume, not a slice"
        )
        raise ScanRejected(message)


def check_geometry(path: str, image: nib.Nifti1Image, settings: CohortSettings) -> None:
    """Refuse unknown orientation, implausible voxels and implausible field of view."""
    codes = int(image.header["sform_code"]), int(image.header["qform_code"])
    axes = image.affine[:3, :3].astype(np.float64)  # columns: one voxel step in mm
    if codes == (0, 0) or not np.isfinite(image.affine).all() or abs(np.linalg.det(axes)) < 1e-9:
        why = "sform_code and qform_code are 0" if codes == (0, 0) else "its affine is singular"
        message = (
            f"{path}: expected an orientation in sform or qform, found none ({why}), so left and "
            "right are unknown; convert the scan again from DICOM"
        )
        raise ScanRejected(message)
    voxel_mm = np.linalg.norm(axes, axis=0)
    extent_mm = voxel_mm * image.shape[:3]
    for found, what, low, high in (
        (voxel_mm, "voxel", settings.min_voxel_mm, settings.max_voxel_mm),
        (extent_mm, "extent", settings.min_extent_mm, settings.max_extent_mm),
    ):
        if found.min() < low - 1e-3 or found.max() > high + 1e-3:
            noun = "voxel edges" if what == "voxel" else "a field of view"
            message = (
                f"{path}: expected {noun} of {low:g} to {high:g} mm, found "
                f"{' x '.join(f'{size:.4g}' for size in found)} mm; correct the header, "
                f"or change cohort.min_{what}_mm or cohort.max_{what}_mm"
            )
            raise ScanRejected(message)


def read_voxels(path: str, image: nib.Nifti1Image) -> np.ndarray:
    """Voxel values, scaled: (X, Y, Z) float32."""
    if image.get_data_dtype().kind not in "iuf":
        message = (
            f"{path}: expected real numbers, found {image.get_data_dtype()} (colour or complex); "
            "give the magnitude image"
        )
        raise ScanRejected(message)
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            values = np.asarray(image.dataobj, dtype=np.float32)
        return values.reshape(image.shape[:3], order="F")
    except (OSError, ValueError, EOFError) as error:
        message = (
            f"{path}: expected voxels of shape {image.shape}, found fewer bytes than that "
            "(truncated); copy or download it again"
        )
        raise ScanRejected(message) from error


def check_values(path: str, volume: np.ndarray) -> None:
    """Refuse NaN, infinity and images without any contrast."""
    low, high = float(volume.min()), float(volume.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        count = int(np.count_nonzero(~np.isfinite(volume)))
        message = (
            f"{path}: expected finite values, found {count} voxels that are NaN or infinite; "
            "export the scan again"
        )
        raise ScanRejected(message)
    if low == high:
        found = "zeros only" if low == 0 else f"the same value {low:g} in all voxels"
        message = f"{path}: expected a head, found {found}; export the scan again"
        raise ScanRejected(message)


def hash_volume(volume: np.ndarray) -> str:
    """SHA-256 of the shape and of the values as little-endian float32, first axis fastest."""
    digest = hashlib.sha256(f"{volume.shape}".encode())
    digest.update(np.asarray(volume, dtype="<f4").ravel(order="F").data)
    return digest.hexdigest()


def _looks_like(content: bytes) -> str:
    if content[:4096].isascii() and b"\0" not in content[:4096]:
        return "text"
    return "gzip data" if content.startswith(GZIP_MAGIC) else "data of another format"


def _corrupt(path: str, error: Exception) -> ScanRejected:
    return ScanRejected(
        f"{path}: expected a valid NIfTI file, found a corrupt one ({error}); "
        "copy or download it again"
    )
