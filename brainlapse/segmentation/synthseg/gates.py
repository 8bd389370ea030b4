"""What ``mri_synthseg`` promises, and the gates that hold every segmenter to that."""

import csv
import math
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from brainlapse.images import load_scan
from brainlapse.rejection import ScanRejected
from brainlapse.segmentation.errors import ImplausibleImage, SegmentationFailed
from brainlapse.segmentation.labels import CSV_HEADER, INTRACRANIAL, LABEL_IDS, STRUCTURES
from brainlapse.segmentation.settings import SegmentationSettings


def read_volumes(path: Path) -> dict[str, float]:
    """Read the table that ``mri_synthseg --vol`` wrote for one scan.

    Parameters
    ----------
    path
        CSV with SynthSeg's 34 columns and one row.

    Returns
    -------
    dict
        ``total intracranial`` and the 32 structures -> volume [mm3].

    Raises
    ------
    SegmentationFailed
        Where the file is missing, has another header, or does not hold exactly one row of
        34 values (a failed run leaves the header alone).
    """
    if not path.is_file():
        message = "it wrote no table of volumes"
        raise SegmentationFailed(message)
    with path.open(newline="", encoding="utf-8") as stream:
        lines = [line for line in csv.reader(stream) if line]
    header = tuple(lines[0]) if lines else ()
    # With a list of scans as input the first header cell is empty.
    if header[1:] != CSV_HEADER[1:]:
        unlike = sorted(set(header[1:]) ^ set(CSV_HEADER[1:]))[:4] or "their order"
        message = f"its table of volumes lacks SynthSeg's 34 columns ({len(header)}; see {unlike})"
        raise SegmentationFailed(message)
    if len(lines) != 2 or len(lines[1]) != len(CSV_HEADER):
        message = f"its table of volumes holds {len(lines) - 1} complete rows, 1 expected"
        raise SegmentationFailed(message)
    try:
        return {name: float(cell) for name, cell in zip(CSV_HEADER[1:], lines[1][1:], strict=True)}
    except ValueError as error:
        message = f"its table of volumes holds a value that is no number: {error}"
        raise SegmentationFailed(message) from error


def check_volumes(volumes_mm3: dict[str, float], settings: SegmentationSettings) -> None:
    """Refuse volumes that cannot be those of a brain.

    Parameters
    ----------
    volumes_mm3
        As `read_volumes` returns them.
    settings
        Holds the range of plausible intracranial volumes.

    Raises
    ------
    ImplausibleImage
        Where a structure is not finite and positive, or the intracranial volume is implausible:
        the image shows no brain.
    SegmentationFailed
        Where the intracranial volume is not the sum of the structures.
    """
    wrong = [name for name in STRUCTURES if not (0 < volumes_mm3[name] < math.inf)]
    if wrong:
        listed = ", ".join(f"{name} = {volumes_mm3[name]:g}" for name in wrong[:4])
        message = f"{len(wrong)} of 32 structures have no positive, finite volume ({listed})"
        raise ImplausibleImage(message)
    total = volumes_mm3[INTRACRANIAL]
    low, high = settings.intracranial_min_mm3, settings.intracranial_max_mm3
    if not low <= total <= high:
        message = f"the intracranial volume is {total:g} mm3, plausible are {low:g} to {high:g}"
        raise ImplausibleImage(message)
    parts = sum(volumes_mm3[name] for name in STRUCTURES)
    if not math.isclose(total, parts, rel_tol=1e-3):
        message = f"the intracranial volume is {total:g} mm3, but the structures add to {parts:g}"
        raise SegmentationFailed(message)


def read_labels(path: Path, scan: Path) -> np.ndarray:
    """Read the label map that was made of a scan.

    Parameters
    ----------
    path
        Label map.
    scan
        NIfTI file that was segmented.

    Returns
    -------
    numpy.ndarray
        uint8 (X, Y, Z) on the scan's grid, FreeSurfer ids.

    Raises
    ------
    SegmentationFailed
        Where the map is missing or unreadable, and see `check_labels`.
    """
    if not path.is_file():
        message = "it wrote no label map"
        raise SegmentationFailed(message)
    try:
        labels, affine = load_scan(path)
    except ScanRejected as error:
        message = f"its label map cannot be read: {error}"
        raise SegmentationFailed(message) from error
    image: Any = nib.load(scan)
    check_labels(labels, affine, image.shape, image.affine)
    return labels.astype(np.uint8)


def check_labels(
    labels: np.ndarray, affine: np.ndarray, shape: tuple[int, ...], expected_affine: np.ndarray
) -> None:
    """Refuse a label map with unknown ids or on another grid than the scan.

    Parameters
    ----------
    labels, affine
        Label map and its voxel-to-world matrix [mm].
    shape, expected_affine
        Grid of the scan that was segmented.

    Raises
    ------
    SegmentationFailed
        Where an id is not one of SynthSeg's 32 (or 0), or the grids differ.
    """
    unknown = sorted(set(np.unique(labels).tolist()) - LABEL_IDS)
    if unknown:
        message = f"its label map holds ids that SynthSeg does not have: {unknown[:5]}"
        raise SegmentationFailed(message)
    if labels.shape != tuple(shape) or not np.allclose(affine, expected_affine, atol=1e-2):
        message = f"its label map is on another grid ({labels.shape}) than the scan ({shape})"
        raise SegmentationFailed(message)
