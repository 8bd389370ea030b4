"""Regions of the template as the embedded segmenter sees them.

The truth of the simulated cohort is integrated over these maps, so it means by a region what the
measured volumes mean by it.
"""

import numpy as np

from brainlapse.images import resample_to_grid
from brainlapse.runtime import single_thread
from brainlapse.segmentation.classes import CLASS_LABELS, CLASSES
from brainlapse.segmentation.embedded.network import GRID, load_network, segment_brain
from brainlapse.segmentation.embedded.posteriors import Posteriors
from brainlapse.segmentation.labels import GROUPS
from brainlapse.space import Grid
from brainlapse.template import load_template_brain

SIDES = ("left_hippocampus", "right_hippocampus")
REGIONS = (
    "ventricles", "lateral_ventricles", "hippocampus", *SIDES, "grey_matter", "white_matter",
    "csf", "brain",
)  # fmt: skip


def region_maps(grid: Grid) -> dict[str, np.ndarray]:
    """Return the soft region maps of the template: posteriors of the regions' structures.

    Parameters
    ----------
    grid
        Where they are wanted, in MNI space.

    Returns
    -------
    dict
        float32 by region, 0 to 1. Grey matter, white matter and csf add up to brain.
    """
    posteriors = segment_template()
    return {
        name: resample_to_grid(share, posteriors.grid.affine, grid)
        for name, share in _shares(posteriors).items()
    }


def segment_template() -> Posteriors:
    """Segment the template; on one thread of the CPU, where the numbers always repeat."""
    volume, mask = load_template_brain(GRID)
    with single_thread():
        return segment_brain(volume, mask, load_network(cpu=True))


def _shares(posteriors: Posteriors) -> dict[str, np.ndarray]:
    """Posteriors of the groups and of both hippocampi, on the posteriors' grid."""
    shares, right = posteriors.rows[..., :CLASSES], posteriors.rows[..., CLASSES]
    rows = {}
    for name in REGIONS:
        if name in GROUPS:
            numbers = np.flatnonzero(np.isin(CLASS_LABELS, list(GROUPS[name])))
            rows[name] = shares[..., numbers.tolist()].sum(dim=-1)
    left_name, right_name = SIDES
    rows[right_name] = rows["hippocampus"] * right
    rows[left_name] = rows["hippocampus"] - rows[right_name]
    return {name: posteriors.place(values).numpy() for name, values in rows.items()}
