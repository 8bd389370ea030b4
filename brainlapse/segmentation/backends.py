"""One way to segment a scan, whichever backend does it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brainlapse.images import load_volume
from brainlapse.runtime import log
from brainlapse.segmentation.atlas import TissueAtlas, check_grid
from brainlapse.segmentation.errors import ImplausibleImage, SegmentationFailed
from brainlapse.segmentation.labels import REGIONS, group_volumes
from brainlapse.segmentation.processes import run_synthseg
from brainlapse.segmentation.settings import SegmentationSettings
from brainlapse.segmentation.tissue import segment_tissues, tissue_labels, tissue_volumes


@dataclass(frozen=True)
class Segmentation:
    """What a backend says about one scan.

    Attributes
    ----------
    volumes_mm3
        Region -> volume [mm3] in MNI space; NaN for a region that it cannot measure.
    labels
        uint8 (X, Y, Z) on the scan's grid, FreeSurfer ids; None if the image shows no brain.
    """

    volumes_mm3: dict[str, float]
    labels: np.ndarray | None


def segment_scan(
    path: Path, settings: SegmentationSettings, atlas: TissueAtlas, threads: int
) -> Segmentation:
    """Segment a stripped, normalised brain in MNI space.

    Parameters
    ----------
    path
        NIfTI file, real or decoded.
    settings
        Chooses the backend.
    atlas
        Spatial priors of the ``tissue`` backend.
    threads
        CPU threads of ``mri_synthseg``.

    Returns
    -------
    Segmentation
        All volumes NaN, with a warning, where an image does not look like a brain (as those of
        an untrained autoencoder).

    Raises
    ------
    SegmentationFailed
        If the backend gave no result or an impossible one.
    """
    if settings.backend != "tissue":
        structures, labels = run_synthseg(path, settings, threads)
        return Segmentation(group_volumes(structures), labels)
    volume, affine = load_volume(path)
    try:
        check_grid(atlas, volume.shape, affine)
        shares = segment_tissues(volume, atlas)
    except SegmentationFailed as error:
        message = f"{path}: tissue segmentation failed: {error}"
        raise SegmentationFailed(message) from error
    except ImplausibleImage as reason:
        log.warning("%s: volumes are missing: %s", path, reason)
        return Segmentation(dict.fromkeys(REGIONS, np.nan), None)
    return Segmentation(tissue_volumes(shares, atlas.voxel_mm**3), tissue_labels(shares))
