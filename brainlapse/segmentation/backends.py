"""One way to segment scans, whichever backend does it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from brainlapse.runtime import log
from brainlapse.segmentation.errors import ImplausibleImage
from brainlapse.segmentation.labels import STRUCTURES, group_volumes
from brainlapse.segmentation.result import Segmentation
from brainlapse.segmentation.settings import SegmentationSettings
from brainlapse.segmentation.synthseg.runs import Structures, run_segmenter


def segment_scans(
    paths: Sequence[Path],
    settings: SegmentationSettings,
    threads: int,
    prepared: bool = False,
) -> list[Segmentation]:
    """Segment stripped, normalised brains in MNI space.

    Parameters
    ----------
    paths
        NIfTI files, real or decoded.
    settings
        Chooses the backend.
    threads
        CPU threads.
    prepared
        The images lie on the embedded network's grid, on its scale, and are 0 exactly outside the
        brain: it takes them as they are.

    Returns
    -------
    list of Segmentation
        One per file; all volumes NaN, with a warning that names file and gate, where an image
        does not look like a brain (as those of an untrained autoencoder): one bad image takes
        no cohort down.

    Raises
    ------
    SegmentationFailed
        If the tool gave no result or one that cannot be read.
    """
    return [_group(outcome) for outcome in run_segmenter(paths, settings, threads, prepared)]


def _group(outcome: Structures | ImplausibleImage) -> Segmentation:
    if isinstance(outcome, Structures):
        return Segmentation(group_volumes(outcome.volumes_mm3), outcome.labels)
    log.warning("%s\nThe volumes of this image are missing (n/a).", outcome)
    return Segmentation(group_volumes(dict.fromkeys(STRUCTURES, np.nan)), None)
