"""Volumes with their geometry: reading, writing, resampling.

World coordinates are millimetres, RAS (right, anterior, superior), everywhere.
"""

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage

from brainlapse.damage import DamagedFile
from brainlapse.nifti.decoding import check_finite
from brainlapse.nifti.files import shown
from brainlapse.nifti.reading import read_nifti
from brainlapse.rejection import ScanRejected
from brainlapse.runtime import atomic_path, log
from brainlapse.space import Grid

COMPRESSION_LEVEL = 1  # noise hardly compresses: level 9 takes 5 times as long for 2 % less


def load_volume(
    path: str | Path, shape: tuple[int, ...] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Read a volume that the run wrote: float32 (X, Y, Z), and its affine, float64 (4, 4).

    Parameters
    ----------
    shape
        Grid that it must have.

    Raises
    ------
    DamagedFile
        If the file isn't what was written: a fault of no scan.
    """
    try:
        volume, affine = load_scan(path)
    except ScanRejected as error:
        found = str(error).removeprefix(f"{shown(path)}: ").partition(";")[0]
        raise DamagedFile(path, found) from error
    _check_shape(path, volume, shape)
    return volume, affine


def load_scan(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Read a volume that came from outside: float32 (X, Y, Z), and its affine, float64 (4, 4).

    Where sform and qform disagree the sform counts, if its code is above 0; a warning says so.

    Raises
    ------
    ScanRejected
        If the file can't be read whole, isn't three-dimensional or holds non-finite values.
    """
    found = read_nifti(path)
    check_finite(str(path), found.volume)
    for note in found.notes:
        log.warning("%s: %s", shown(path), note)
    return found.volume, found.affine


def load_canonical(
    path: str | Path, shape: tuple[int, ...] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Read a volume that the run wrote, its axes permuted and flipped to the closest RAS+ order.

    Raises
    ------
    DamagedFile
        See `load_volume`.
    """
    volume, affine = load_volume(path)
    canonical = nib.as_closest_canonical(nib.Nifti1Image(volume, affine))
    volume = np.asarray(canonical.dataobj)
    _check_shape(path, volume, shape)
    return volume, np.asarray(canonical.affine, dtype=np.float64)


def _check_shape(path: str | Path, volume: np.ndarray, shape: tuple[int, ...] | None) -> None:
    if shape is not None and volume.shape != tuple(shape):
        raise DamagedFile(path, f"expected the grid {tuple(shape)}, found {volume.shape}")


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
