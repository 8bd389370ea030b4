"""Regions of the template as the embedded segmenter sees them.

The truth of the simulated cohort is integrated over these maps, so it means by a region what the
measured volumes mean by it.
"""

import numpy as np

from brainlapse.images import resample_to_grid
from brainlapse.runtime import single_thread
from brainlapse.segmentation.classes import CLASS_LABELS
from brainlapse.segmentation.embedded import GRID, load_network, segment_brain
from brainlapse.segmentation.labels import GROUPS
from brainlapse.segmentation.posteriors import Posteriors
from brainlapse.space import Grid
from brainlapse.template import load_template_brain

SIDES = ("left_hippocampus", "right_hippocampus")
REGIONS = (
    "ventricles", "lateral_ventricles", "hippocampus", *SIDES, "grey_matter", "white_matter",
    "csf", "brain",
)  # fmt: skip


def region_maps(brain_mask: np.ndarray, grid: Grid) -> dict[str, np.ndarray]:
    """Return the soft region maps of the template.

    Parameters
    ----------
    brain_mask
        The template's brain on `grid`, bool.

    Returns
    -------
    dict
        float32 by region, 0 to 1: the posterior of the region's structures inside the mask. But
        brain is the mask, and csf all of it that is neither grey nor white matter, so that the
        three add up.
    """
    posteriors = segment_template()
    brain = brain_mask.astype(np.float32)
    maps = {
        name: resample_to_grid(share, GRID.affine, grid) * brain
        for name, share in _shares(posteriors).items()
    }
    maps["csf"] = np.clip(brain - maps["grey_matter"] - maps["white_matter"], 0, 1)
    maps["brain"] = brain
    return {name: maps[name].astype(np.float32) for name in REGIONS}


def segment_template() -> Posteriors:
    """Segment the template; on one thread of the CPU, where the numbers always repeat."""
    volume, mask = load_template_brain(GRID)
    with single_thread():
        return segment_brain(volume, mask, load_network(cpu=True))


def _shares(posteriors: Posteriors) -> dict[str, np.ndarray]:
    """Posteriors of the groups that are not defined by the mask, and of both hippocampi."""
    shares = {
        name: posteriors.shares[np.isin(CLASS_LABELS, list(GROUPS[name]))].sum(axis=0)
        for name in REGIONS
        if name in GROUPS and name not in ("csf", "brain")
    }
    left, right = SIDES
    shares[right] = shares["hippocampus"] * posteriors.right
    shares[left] = shares["hippocampus"] - shares[right]
    return shares
