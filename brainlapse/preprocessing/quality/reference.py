"""The template on the grids of preprocessing: sampled once for a run, read by each scan's jobs."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brainlapse.images import load_volume, save_volume
from brainlapse.space import Grid, grid_at
from brainlapse.template import load_template, load_template_brain

FIELD_OF_VIEW_MM = (192.0, 232.0, 200.0)  # the template's brain with 20 mm of air on all sides


@dataclass(frozen=True)
class Reference:
    """What a preprocessed brain is held against; arrays of one grid.

    Attributes
    ----------
    t1
        Intensity, about 1 in white matter, 0 outside the brain.
    grey, white
        Tissue probabilities, 0 to 1.
    brain_mask
        Bool.
    """

    t1: np.ndarray
    grey: np.ndarray
    white: np.ndarray
    brain_mask: np.ndarray


def registration_grid(voxel_mm: float) -> Grid:
    """Return the grid on which the template is registered."""
    shape = [round(extent / voxel_mm) for extent in FIELD_OF_VIEW_MM]
    return grid_at(voxel_mm, (shape[0], shape[1], shape[2]))


def registration_target(voxel_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the T1 of the template's brain, (X, Y, Z), and its affine, at a voxel size."""
    grid = registration_grid(voxel_mm)
    t1, brain_mask = load_template_brain(grid)
    return t1 * brain_mask, grid.affine


def sample_reference(grid: Grid) -> Reference:
    """Sample the template on the MNI grid."""
    template = load_template(grid)
    return Reference(template.t1, template.grey, template.white, template.brain_mask)


def save_reference(reference: Reference, grid: Grid, paths: dict[str, str | Path]) -> None:
    """Write the maps under `paths`: t1, grey, white, brain_mask."""
    for name in ("t1", "grey", "white"):
        save_volume(paths[name], getattr(reference, name).astype(np.float32), grid.affine)
    save_volume(paths["brain_mask"], reference.brain_mask, grid.affine, dtype=np.uint8)


def load_reference(paths: dict[str, str | Path]) -> Reference:
    """Read what `save_reference` wrote."""
    t1, grey, white = (load_volume(paths[name])[0] for name in ("t1", "grey", "white"))
    return Reference(t1, grey, white, load_volume(paths["brain_mask"])[0] > 0)
