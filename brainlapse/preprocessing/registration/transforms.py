"""Affine transforms between template and scan: reading, writing, checking.

A transform is the 4x4 matrix that maps template world mm to scan world mm, both RAS. On disk it
is an ITK affine (``.mat``), which has the same direction but LPS axes, so that ANTs and every ITK
program can apply it: ``antsApplyTransforms -i scan -r template -t affine.mat``.
"""

from pathlib import Path

import numpy as np
from scipy.io import loadmat, savemat

from brainlapse.damage import DamagedFile, reading
from brainlapse.preprocessing.itk import LPS
from brainlapse.preprocessing.registration.settings import LimitSettings
from brainlapse.rejection import ScanRejected
from brainlapse.runtime import atomic_path

AFFINE_KEY = "AffineTransform_double_3_3"
# ITK's types whose parameters are a 3x3 matrix, row by row, and a translation.
MATRIX_KEYS = (AFFINE_KEY, "AffineTransform_float_3_3", "MatrixOffsetTransformBase_double_3_3")
MIN_DETERMINANT = 1e-3  # below, the matrix is as good as singular; below 0, it mirrors


def check_transform(transform: np.ndarray, limits: LimitSettings) -> None:
    """Refuse a transform that no head needs.

    Parameters
    ----------
    transform
        Template world to scan world mm, (4, 4).

    Raises
    ------
    ScanRejected
        If it is singular, mirrors, or scales or shears beyond the limits.
    """
    linear = transform[:3, :3]
    determinant = np.linalg.det(linear) if np.isfinite(transform).all() else np.nan
    if not determinant > MIN_DETERMINANT:
        message = (
            "Expected an invertible transform to the template that keeps left and right, found "
            f"one with determinant {determinant:.3g}; look at the brain mask."
        )
        raise ScanRejected(message)
    scales = 1.0 / np.linalg.svd(linear, compute_uv=False)
    if scales.max() / scales.min() > limits.max_scale_ratio:
        message = (
            f"Expected scales to the template that differ by {limits.max_scale_ratio:g} times at "
            f"most, found {scales.min():.2f} to {scales.max():.2f}; look at the brain mask and at "
            "the voxel size in the scan's header."
        )
        raise ScanRejected(message)
    if scales.max() > limits.max_scale or scales.min() < limits.min_scale:
        message = (
            f"Expected scales of {limits.min_scale:g} to {limits.max_scale:g} from the scan "
            f"to the template, found {scales.min():.2f} to {scales.max():.2f}; look at the brain "
            "mask and at the voxel size in the scan's header."
        )
        raise ScanRejected(message)


def without_scale(transform: np.ndarray, centre_mm: np.ndarray) -> np.ndarray:
    """Return the rigid transform closest to one (4, 4), which carries a centre (3,) alike."""
    left, _, right = np.linalg.svd(transform[:3, :3])
    rigid = transform.copy()
    rigid[:3, :3] = left @ right
    rigid[:3, 3] += (transform[:3, :3] - rigid[:3, :3]) @ centre_mm
    return rigid


def read_world_transform(path: str | Path) -> np.ndarray:
    """Read an ITK ``.mat`` affine as template world to scan world mm (RAS), (4, 4).

    ITK stores ``y = A (x - c) + c + t`` on LPS points.

    Raises
    ------
    DamagedFile
        If the file holds no affine.
    """
    with reading(path):
        content = {key: value for key, value in loadmat(path).items() if not key.startswith("__")}
        keys = [key for key in MATRIX_KEYS if key in content]
        if not keys:
            raise DamagedFile(path, f"expected an ITK affine, found {sorted(content)}")
        parameters = content[keys[0]].ravel()
        centre = content["fixed"].ravel()
        transform = np.eye(4)
        transform[:3, :3] = parameters[:9].reshape(3, 3)
        transform[:3, 3] = parameters[9:] + centre - transform[:3, :3] @ centre
    if not np.isfinite(transform).all():
        raise DamagedFile(path, "expected finite numbers")
    return LPS @ transform @ LPS


def write_world_transform(path: str | Path, transform: np.ndarray) -> None:
    """Write template world to scan world mm (RAS), (4, 4), as an ITK ``.mat`` affine."""
    itk = LPS @ transform @ LPS
    parameters = np.concatenate([itk[:3, :3].ravel(), itk[:3, 3]])
    content = {AFFINE_KEY: parameters.reshape(12, 1), "fixed": np.zeros((3, 1))}
    with atomic_path(path) as temporary:
        savemat(temporary, content, appendmat=False, format="4")
