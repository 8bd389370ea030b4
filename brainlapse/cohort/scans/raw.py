"""Read a raw scan as the cohort accepted it."""

import numpy as np

from brainlapse.cohort.scans.hashes import hash_image, hash_volume
from brainlapse.nifti.files import shown
from brainlapse.nifti.reading import read_nifti
from brainlapse.rejection import ScanRejected
from brainlapse.runtime import log


class ScanChanged(RuntimeError):
    """A raw file is no longer what the cohort accepted: no property of the scan, but of the run."""


def load_raw_scan(path: str, image_sha256: str) -> tuple[np.ndarray, np.ndarray]:
    """Read a volume, float32 (X, Y, Z), and its affine, float64 (4, 4).

    Parameters
    ----------
    path, image_sha256
        Row of ``cohort/scans.tsv``.

    Raises
    ------
    ScanChanged
        The file does not hold what the cohort accepted, or cannot be read any more.
    """
    try:
        found = read_nifti(path)
    except ScanRejected as reason:
        raise ScanChanged(_changed(path, str(reason))) from reason
    if hash_image(hash_volume(found.volume), found.affine) != image_sha256:
        raise ScanChanged(_changed(path, "its content is another now"))
    for note in found.notes:
        log.warning("%s: %s", shown(path), note)
    return found.volume, found.affine


def _changed(path: str, found: str) -> str:
    return (
        f"{shown(path)}: expected the scan that cohort/scans.tsv lists, found: {found}; "
        "it changed during the run, give the same command again"
    )
