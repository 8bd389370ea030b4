"""Where the voxels lie: the affine of a header, from its sform or its qform."""

import nibabel as nib
import numpy as np

from brainlapse.nifti.files import shown
from brainlapse.rejection import ScanRejected

FORMS_AGREE_MM = 1.0  # at the corners of the volume; headers of some converters round more
# A quaternion of rounded numbers may come out longer than 1; its real part is 0 then, as in the
# C library of NIfTI-1. Beyond this the angle is more than a degree off.
MAX_QUATERNION_EXCESS = 1e-4
MAX_MM = 1e9  # no place in the world of a scanner
MIN_INDEPENDENCE = 1e-3  # determinant over the product of the edges: 1 for a cuboid


def find_affine(
    path: str, header: nib.Nifti1Header, shape: tuple[int, ...]
) -> tuple[np.ndarray, str | None]:
    """Voxel to world mm (RAS), float64 (4, 4), and a note where the header is odd.

    The sform counts if its code is above 0, else the qform; a form that is singular or not
    finite counts as absent.

    Raises
    ------
    ScanRejected
        Neither form can be used.
    """
    codes = int(header["sform_code"]), int(header["qform_code"])
    with np.errstate(all="ignore"):  # what is not finite is refused
        sform = _usable(header.get_sform()) if codes[0] > 0 else None
        qform = _usable(qform_affine(header)) if codes[1] > 0 else None
    if sform is not None:
        apart_mm = 0.0 if qform is None else forms_apart_mm(sform, qform, shape)
        apart = f"sform and qform disagree by {apart_mm:.1f} mm; the sform counts"
        return sform, (apart if apart_mm > FORMS_AGREE_MM else None)
    if qform is None:
        why = "its affine is singular or not finite"
        if max(codes) <= 0:
            why = "sform_code and qform_code are 0"
        message = (
            f"{shown(path)}: expected an orientation in sform or qform, found none ({why}), so "
            "left and right are unknown; convert the scan again from DICOM"
        )
        raise ScanRejected(message)
    note = "its sform is singular or not finite, the qform was used" if codes[0] > 0 else None
    return qform, note


def qform_affine(header: nib.Nifti1Header) -> np.ndarray | None:
    """Affine of the qform, (4, 4); None if its quaternion is none.

    Follows ``nifti_quatern_to_mat44`` of the C library: a length just above 1 means no real part.
    """
    vector = np.array([header[f"quatern_{axis}"] for axis in "bcd"], dtype=np.float64)
    length2 = float(vector @ vector)
    if not length2 <= 1 + MAX_QUATERNION_EXCESS:  # NaN as well
        return None
    if length2 > 1:
        vector /= np.sqrt(length2)
    real = np.sqrt(max(0.0, 1 - length2))
    edges_mm = np.asarray(header["pixdim"], dtype=np.float64)
    edges_mm = edges_mm[1:4] * (1, 1, -1 if edges_mm[0] < 0 else 1)
    affine = np.eye(4)
    affine[:3, :3] = nib.quaternions.quat2mat([real, *vector]) * edges_mm
    affine[:3, 3] = [header[f"qoffset_{axis}"] for axis in "xyz"]
    return affine


def _usable(affine: np.ndarray | None) -> np.ndarray | None:
    if affine is None or not np.abs(affine).max() <= MAX_MM:  # NaN as well
        return None
    axes = np.asarray(affine, dtype=np.float64)[:3, :3]
    edges = np.linalg.norm(axes, axis=0)
    if edges.min() == 0 or abs(np.linalg.det(axes / edges)) < MIN_INDEPENDENCE:
        return None
    return np.asarray(affine, dtype=np.float64)


def forms_apart_mm(sform: np.ndarray, qform: np.ndarray, shape: tuple[int, ...]) -> float:
    """Return how far apart two affines place a corner of the volume [mm]."""
    corners = np.stack(np.meshgrid(*[(0, edge - 1) for edge in shape[:3]])).reshape(3, -1)
    difference = sform - qform
    apart = difference[:3, :3] @ corners + difference[:3, 3:]
    return float(np.linalg.norm(apart, axis=0).max())
