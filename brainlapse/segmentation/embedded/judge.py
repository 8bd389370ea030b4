"""The embedded segmenter as a judge of reconstructions while an autoencoder trains."""

import logging

import numpy as np

from brainlapse.rejection import ScanRejected
from brainlapse.segmentation.embedded.network import GRID, load_network, segment_brain
from brainlapse.segmentation.embedded.placing import place_mni_brain
from brainlapse.segmentation.embedded.posteriors import structure_volumes
from brainlapse.segmentation.errors import ImplausibleImage
from brainlapse.segmentation.labels import group_volumes
from brainlapse.space import Grid

JUDGED_REGIONS = ("hippocampus", "ventricles", "grey_matter", "white_matter")
NO_BRAIN_PCT = 100.0  # error of a reconstruction without a brain, as if every volume were 0

log = logging.getLogger("brainlapse")


class SegmenterJudge:
    """Measures regional volumes of scans and reconstructions on one grid in MNI space.

    Scans are measured once. Both are looked at without the mirror image (`fast`).
    """

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.network = load_network()
        self._known: dict[str, dict[str, float]] = {}

    def error_pct(self, name: str, scan: np.ndarray, reconstruction: np.ndarray) -> float:
        """Mean absolute error [%] of the regional volumes of a reconstruction (D, H, W).

        Raises
        ------
        ImplausibleImage, ScanRejected
            If the scan itself shows no brain.
        """
        if name not in self._known:
            self._known[name] = self.volumes_mm3(scan)
        try:
            found = self.volumes_mm3(reconstruction)
        except (ImplausibleImage, ScanRejected) as reason:
            log.warning("reconstruction of %s: %s; its error is 100 %%", name, reason)
            return NO_BRAIN_PCT
        true = self._known[name]
        errors = [abs(found[region] / true[region] - 1) for region in JUDGED_REGIONS]
        return 100 * float(np.mean(errors))

    def volumes_mm3(self, volume: np.ndarray) -> dict[str, float]:
        """Volumes of the judged regions of a brain on the grid."""
        placed = place_mni_brain(volume, self.grid.affine)
        posteriors = segment_brain(placed.volume, placed.mask, self.network, fast=True)
        volumes = group_volumes(structure_volumes(posteriors, GRID.voxel_volume_mm3))
        return {region: volumes[region] for region in JUDGED_REGIONS}
