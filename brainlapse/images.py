"""Volumes with their geometry: reading, writing, resampling.

World coordinates are millimetres, RAS (right, anterior, superior), everywhere.
"""

import gzip
import zlib
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from scipy import ndimage

from brainlapse.rejection import ScanRejected
from brainlapse.runtime import atomic_path, log
from brainlapse.space import Grid

READ_ERRORS = (ImageFileError, HeaderDataError, OSError, EOFError, ValueError, zlib.error)
GZIP_MAGIC = b"\x1f\x8b"
NIFTI2_HEADER_BYTES = 540
FORMS_AGREE_MM = 1.0  # at the corners of the volume; headers of some converters round more
COMPRESSION_LEVEL = 1  # noise hardly compresses: level 9 takes 5 times as long for 2 % less


def read_image(path: str | Path) -> tuple[nib.Nifti1Image, np.ndarray]:
    """Read a NIfTI file as (image, volume), the volume float32 (X, Y, Z) as stored.

    Raises
    ------
    ScanRejected
        If the file can't be read whole, isn't three-dimensional or holds non-finite values.
    """
    try:
        image = _open_image(Path(path))
        volume = np.asarray(image.dataobj, dtype=np.float32)
    except READ_ERRORS as error:
        message = (
            f"{path}: expected a complete NIfTI image, found one that cannot be read "
            f"({error or type(error).__name__}); copy or convert it again."
        )
        raise ScanRejected(message) from error
    while volume.ndim > 3 and volume.shape[-1] == 1:
        volume = volume[..., 0]
    if volume.ndim != 3:
        message = (
            f"{path}: expected a 3D volume, found shape {image.shape}; "
            "extract the T1-weighted volume into a file of its own."
        )
        raise ScanRejected(message)
    if not np.isfinite(volume).all():
        count = int((~np.isfinite(volume)).sum())
        message = (
            f"{path}: expected finite intensities, found {count} NaN or infinite voxels; "
            "export the scan again."
        )
        raise ScanRejected(message)
    return image, volume


def _open_image(path: Path) -> Any:
    """Open a NIfTI file; a compressed one is checked whole, which nibabel leaves out."""
    with open(path, "rb") as file:
        compressed = file.read(2) == GZIP_MAGIC
    if not compressed:
        return nib.load(path)
    content = gzip.decompress(path.read_bytes())
    header_bytes = {int.from_bytes(content[:4], order) for order in ("little", "big")}
    kind = nib.Nifti2Image if NIFTI2_HEADER_BYTES in header_bytes else nib.Nifti1Image
    return kind.from_bytes(content)


def load_volume(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Read a volume, float32 (X, Y, Z), and its affine, float64 (4, 4), as stored.

    Where sform and qform disagree the sform counts, if its code is above 0; a warning says so.

    Raises
    ------
    ScanRejected
        See `read_image`.
    """
    image, volume = read_image(path)
    apart_mm = forms_apart_mm(image)
    if apart_mm > FORMS_AGREE_MM:
        log.warning("%s: sform and qform disagree by %.1f mm; the sform counts", path, apart_mm)
    return volume, np.asarray(image.affine, dtype=np.float64)


def forms_apart_mm(image: nib.Nifti1Image) -> float:
    """Return how far apart sform and qform place a corner of the volume [mm]; 0 with one only."""
    sform, qform = image.get_sform(coded=True), image.get_qform(coded=True)
    if not (sform[1] and qform[1]):
        return 0.0
    corners = np.stack(np.meshgrid(*[(0, edge - 1) for edge in image.shape[:3]])).reshape(3, -1)
    difference = sform[0] - qform[0]
    apart = difference[:3, :3] @ corners + difference[:3, 3:]
    return float(np.linalg.norm(apart, axis=0).max())


def load_canonical(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Read a volume with its axes permuted and flipped to the closest RAS+ order.

    Raises
    ------
    ScanRejected
        See `read_image`.
    """
    volume, affine = load_volume(path)
    canonical = nib.as_closest_canonical(nib.Nifti1Image(volume, affine))
    return np.asarray(canonical.dataobj), np.asarray(canonical.affine, dtype=np.float64)


def save_volume(
    path: str | Path,
    volume: np.ndarray,
    affine: np.ndarray,
    dtype: type[np.generic] | None = None,
) -> None:
    """Write a NIfTI file, whole or not at all; equal volumes give equal bytes.

    Parameters
    ----------
    volume
        (X, Y, Z); stored as `dtype`, by default its own type, without scaling.
    affine
        Voxel to world mm (RAS); written as sform and qform.
    """
    data = np.asarray(volume, dtype=dtype)
    image = nib.Nifti1Image(data, affine)
    image.set_sform(affine, code=1)
    image.set_qform(affine, code=1)
    image.header.set_xyzt_units("mm")
    content = image.to_bytes()
    with atomic_path(path) as temporary:
        if str(path).endswith(".gz"):
            content = gzip.compress(content, COMPRESSION_LEVEL, mtime=0)
        temporary.write_bytes(content)


def resample_to_grid(
    volume: np.ndarray,
    affine: np.ndarray,
    grid: Grid,
    world_transform: np.ndarray | None = None,
    order: int = 1,
) -> np.ndarray:
    """Interpolate a volume once on a grid.

    Parameters
    ----------
    volume
        (X, Y, Z).
    affine
        Voxel of `volume` to world mm.
    grid
        Where to sample.
    world_transform
        World mm of the grid to world mm of the volume, (4, 4); identity by default.
    order
        Order of the spline: 0 nearest, 1 linear, 3 cubic.

    Returns
    -------
    numpy.ndarray
        float32, of the grid's shape; 0 outside the volume.
    """
    transform = np.eye(4) if world_transform is None else world_transform
    index_map = np.linalg.inv(affine) @ transform @ grid.affine
    return ndimage.affine_transform(
        np.asarray(volume, dtype=np.float32),
        index_map[:3, :3],
        offset=index_map[:3, 3],
        output_shape=grid.shape,
        order=order,
        mode="constant",
        cval=0.0,
    )


def fill_holes(mask: np.ndarray) -> np.ndarray:
    """Fill the cavities of a mask, bool (X, Y, Z), looking only where the mask is."""
    filled = mask.copy()
    for box in ndimage.find_objects(mask.astype(np.uint8)):
        filled[box] = ndimage.binary_fill_holes(mask[box])
    return filled
