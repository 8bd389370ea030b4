"""Brains that another tool brought to MNI space: measured against the contract, then taken in."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from brainlapse.images import fill_holes
from brainlapse.preprocessing.orientation import to_canonical, voxel_sizes_mm, voxel_volume_ml
from brainlapse.preprocessing.resampling import resample_brain
from brainlapse.preprocessing.settings import ResamplingSettings
from brainlapse.rejection import ScanRejected
from brainlapse.space import Grid

EVEN_BORDER = 0.95  # of the voxels on the faces of the image must be background
LEAST_OF_TEMPLATE, MOST_OF_TEMPLATE = 0.6, 1.4  # the brain's volume, over the template's
SAME_MM = 1e-3


@dataclass(frozen=True)
class TakenBrain:
    """A brain on the MNI grid.

    Attributes
    ----------
    native, native_mask, affine
        As it came, background 0, its mask, voxel to world mm.
    brain, mask
        On the grid, intensities as they came.
    remarks
        What differs from the contract and was brought in line, in words.
    """

    native: np.ndarray
    native_mask: np.ndarray
    affine: np.ndarray
    brain: np.ndarray
    mask: np.ndarray
    remarks: tuple[str, ...]


def take_brain(
    volume: np.ndarray,
    affine: np.ndarray,
    grid: Grid,
    template_mask: np.ndarray,
    settings: ResamplingSettings,
) -> TakenBrain:
    """Check a brain and bring it to the grid.

    Parameters
    ----------
    volume, affine
        (X, Y, Z) as read, voxel to world mm.
    grid
        The MNI grid.
    template_mask
        The template's brain on it, bool.

    Raises
    ------
    ScanRejected
        If the image is no stripped brain on a constant background, or not of the brain's size.
    """
    background, even = find_background(volume)
    if even < EVEN_BORDER:
        message = (
            "Expected a stripped brain on a constant background (preprocessed: true), found signal "
            f"in {100 * (1 - even):.0f} % of the image's edge; strip the skull, or leave "
            "`preprocessed` out and have it done here."
        )
        raise ScanRejected(message)
    native_mask = find_brain(volume, background)
    check_size(native_mask, affine, template_mask, grid)
    native = np.where(native_mask, volume - background, 0).astype(np.float32)
    lowest = float(native[native_mask].min())
    remarks = [*_remarks(volume, affine, grid), *_background_remark(background)]
    if lowest < 0:  # intensities around 0, such as z-scores: the background must stay the darkest
        native = np.where(native_mask, native - lowest, 0).astype(np.float32)
    if on_grid(volume.shape, affine, grid):
        return TakenBrain(native, native_mask, affine, native, native_mask, tuple(remarks))
    turned, turned_affine = to_canonical(native, affine)
    turned_mask, _ = to_canonical(native_mask, affine)
    brain, mask = resample_brain(turned, turned_mask, turned_affine, grid, np.eye(4), settings)
    return TakenBrain(native, native_mask, affine, brain, mask, tuple(remarks))


def find_background(volume: np.ndarray) -> tuple[float, float]:
    """Return the usual value on the faces of an image, and the share of their voxels with it."""
    faces = [volume.take(end, axis=axis).ravel() for axis in range(3) for end in (0, -1)]
    border = np.concatenate(faces)
    values, counts = np.unique(border, return_counts=True)
    usual = counts.argmax()
    return float(values[usual]), float(counts[usual] / len(border))


def find_brain(volume: np.ndarray, background: float) -> np.ndarray:
    """Return the largest connected part that is no background, without holes, bool (X, Y, Z)."""
    parts, count = ndimage.label(volume != background)
    if not count:
        message = f"Expected a brain, found the value {background:g} everywhere."
        raise ScanRejected(message)
    largest = np.bincount(parts.ravel())[1:].argmax() + 1
    return fill_holes(parts == largest)


def check_size(mask: np.ndarray, affine: np.ndarray, template: np.ndarray, grid: Grid) -> None:
    """Refuse what is not of the size of the template's brain, such as a head with its skull."""
    found_ml = float(mask.sum()) * voxel_volume_ml(affine)
    usual_ml = float(template.sum()) * voxel_volume_ml(grid.affine)
    if LEAST_OF_TEMPLATE <= found_ml / usual_ml <= MOST_OF_TEMPLATE:
        return
    why = "the skull is on, or it is" if found_ml > usual_ml else "parts are missing, or it is"
    message = (
        f"Expected a brain in MNI space of about {usual_ml:.0f} ml (preprocessed: true), found "
        f"{found_ml:.0f} ml: {why} not in MNI space; leave `preprocessed` out, and it is done here."
    )
    raise ScanRejected(message)


def on_grid(shape: tuple[int, ...], affine: np.ndarray, grid: Grid) -> bool:
    """Tell whether an image has the voxels of the grid already."""
    return tuple(shape) == tuple(grid.shape) and np.allclose(affine, grid.affine, atol=SAME_MM)


def _remarks(volume: np.ndarray, affine: np.ndarray, grid: Grid) -> list[str]:
    if on_grid(volume.shape, affine, grid):
        return []
    found = " x ".join(map(str, volume.shape))
    edges = " x ".join(f"{edge:.3g}" for edge in voxel_sizes_mm(affine))
    wanted = " x ".join(map(str, grid.shape))
    return [
        f"the grid of {found} voxels of {edges} mm is not that of the run, {wanted} of "
        f"{voxel_sizes_mm(grid.affine)[0]:.3g} mm: interpolated once"
    ]


def _background_remark(background: float) -> list[str]:
    return [f"the background is {background:g}, not 0: taken as 0"] if background else []
