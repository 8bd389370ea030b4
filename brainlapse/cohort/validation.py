"""Read a raw scan once, in full; refuse what cannot be a usable T1w head, in one sentence."""

from dataclasses import dataclass

import numpy as np

from brainlapse.cohort.scans.hashes import hash_image, hash_volume
from brainlapse.cohort.settings import CohortSettings
from brainlapse.nifti.decoding import check_finite
from brainlapse.nifti.files import shown
from brainlapse.nifti.reading import read_nifti
from brainlapse.rejection import ScanRejected

MAX_OFF_CENTRE_MM = 10_000.0  # beyond any scanner's table


@dataclass(frozen=True)
class Content:
    """What a scan holds: hash of its voxels, of voxels and geometry, and what was odd."""

    sha256: str
    image_sha256: str
    notes: tuple[str, ...] = ()


def check_scan(path: str, settings: CohortSettings) -> Content:
    """Validate one scan.

    Parameters
    ----------
    path
        NIfTI file, compressed or not.

    Returns
    -------
    Content
        With the hashes of `hash_volume` and `hash_image`.

    Raises
    ------
    ScanRejected
        The scan cannot be used; the message says what was expected, found and what to do.
    OSError
        The machine is at fault, not the scan.
    """
    found = read_nifti(path, int(settings.max_scan_mb * 1e6))
    check_geometry(path, found.affine, found.volume.shape, settings)
    check_values(path, found.volume)
    sha256 = hash_volume(found.volume)
    return Content(sha256, hash_image(sha256, found.affine), found.notes)


def check_geometry(
    path: str, affine: np.ndarray, shape: tuple[int, ...], settings: CohortSettings
) -> None:
    """Refuse implausible voxels, an implausible field of view or place."""
    voxel_mm = np.linalg.norm(affine[:3, :3], axis=0)
    extent_mm = voxel_mm * shape
    for found, what, low, high in (
        (voxel_mm, "voxel", settings.min_voxel_mm, settings.max_voxel_mm),
        (extent_mm, "extent", settings.min_extent_mm, settings.max_extent_mm),
    ):
        if found.min() < low - 1e-3 or found.max() > high + 1e-3:
            noun = "voxel edges" if what == "voxel" else "a field of view"
            message = (
                f"{shown(path)}: expected {noun} of {low:g} to {high:g} mm, found "
                f"{' x '.join(f'{size:.4g}' for size in found)} mm; correct the header, "
                f"or change cohort.min_{what}_mm or cohort.max_{what}_mm"
            )
            raise ScanRejected(message)
    centre_mm = affine[:3, :3] @ ((np.asarray(shape) - 1) / 2) + affine[:3, 3]
    if np.abs(centre_mm).max() > MAX_OFF_CENTRE_MM:
        message = (
            f"{shown(path)}: expected a head within {MAX_OFF_CENTRE_MM / 1000:g} m of the origin, "
            f"found its centre at {', '.join(f'{x:.4g}' for x in centre_mm)} mm; correct the header"
        )
        raise ScanRejected(message)


def check_values(path: str, volume: np.ndarray) -> None:
    """Refuse NaN, infinity and images without any contrast."""
    check_finite(path, volume)
    low = float(volume.min())
    if low == float(volume.max()):
        found = "zeros only" if low == 0 else f"the same value {low:g} in all voxels"
        message = f"{shown(path)}: expected a head, found {found}; export the scan again"
        raise ScanRejected(message)
