"""The anatomy that every simulated subject is warped from: template brain and modelled head."""

import functools
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from brainlapse.simulation.ageing import AgeingModel, build_ageing_model
from brainlapse.simulation.head import build_head
from brainlapse.simulation.regions import region_maps
from brainlapse.simulation.warps import axis_aligned_grid
from brainlapse.template import load_template_brain

LABELS = {"csf": 1, "grey_matter": 2, "white_matter": 3, "ventricles": 4, "hippocampus": 5}

BRAIN_GRID = axis_aligned_grid((-84, -120, -84), (84, 90, 93), 1.0)
AGEING_GRID = axis_aligned_grid((-90, -126, -93), (90, 96, 102), 3.0)
HEAD_GRID = axis_aligned_grid((-104, -146, -196), (104, 134, 116), 2.0)
SHARPEN_MM = 2.0  # the template is a mean of 152 brains: give its gyri back some of their edge
SHARPEN = 0.8
REACH_MM = 12.0  # at no age brain is found further from the template's brain than this


@dataclass(frozen=True)
class Anatomy:
    """Template-space anatomy, built once and shared by all subjects.

    Attributes
    ----------
    t1
        Brain intensity on BRAIN_GRID, white matter about 1.
    maps
        Soft maps by region on BRAIN_GRID, 0 to 1 (csf includes the ventricles, grey_matter
        the hippocampus); see `region_maps`.
    coarse_maps
        The same on AGEING_GRID.
    near_brain
        1 on AGEING_GRID where brain may be found at some age, else 0.
    head
        Share of every tissue around the brain on HEAD_GRID.
    ageing
        The calibrated ageing model on AGEING_GRID.
    """

    t1: np.ndarray
    maps: dict[str, np.ndarray]
    coarse_maps: dict[str, np.ndarray]
    near_brain: np.ndarray
    head: dict[str, np.ndarray]
    ageing: AgeingModel


@functools.cache
def build_anatomy() -> Anatomy:
    """Build the shared anatomy from the template (half a minute, deterministic)."""
    template, brain_mask = load_template_brain(BRAIN_GRID)
    brain = brain_mask.astype(np.float32)
    maps = region_maps(BRAIN_GRID)
    coarse = {name: _average(volume) for name, volume in maps.items()}
    fine = template - ndimage.gaussian_filter(template, SHARPEN_MM)
    inner = ndimage.binary_erosion(brain_mask, iterations=2)
    t1 = np.clip(template + SHARPEN * fine * inner, 0.1, 1.15).astype(np.float32) * brain
    return Anatomy(
        t1=t1,
        maps=maps,
        coarse_maps=coarse,
        near_brain=_near(coarse["brain"]),
        head=build_head(brain, BRAIN_GRID, HEAD_GRID),
        ageing=build_ageing_model(coarse, AGEING_GRID),
    )


def _near(brain: np.ndarray) -> np.ndarray:
    distance_mm = ndimage.distance_transform_edt(brain < 0.5) * AGEING_GRID.affine[0, 0]
    return (distance_mm < REACH_MM).astype(np.float32)


def _average(volume: np.ndarray) -> np.ndarray:
    """Average BRAIN_GRID over the voxels of AGEING_GRID."""
    ratio = int(AGEING_GRID.affine[0, 0] / BRAIN_GRID.affine[0, 0])
    offset = (BRAIN_GRID.affine[:3, 3] - AGEING_GRID.affine[:3, 3]).astype(int)
    first = (offset + ratio // 2).astype(int)
    padded = np.zeros([size * ratio for size in AGEING_GRID.shape], dtype=np.float32)
    block = tuple(
        slice(start, start + size) for start, size in zip(first, volume.shape, strict=True)
    )
    padded[block] = volume
    parts = [part for size in AGEING_GRID.shape for part in (size, ratio)]
    return padded.reshape(parts).mean(axis=(1, 3, 5))
