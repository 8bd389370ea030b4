"""Brain masks broken on purpose, as networks, thresholds and wrong poses break them."""

import numpy as np
from scipy import ndimage

from benchmarks.heads.head import Head

SEED = 0
GOOD = ("true", "wider by 2 mm", "tighter by 2 mm", "rough by 2 mm")
BETWEEN = (
    "wider by 4 mm",
    "tighter by 4 mm",
    "rough by 5 mm",
    "lowest tenth lost",
    "top tenth lost",
    "left tenth lost",
)
"""Masks that one may take or leave."""
LEAST_ML = 200.0  # smaller masks are thrown away before they are judged


def break_mask(head: Head) -> dict[str, np.ndarray]:
    """Return the true mask and broken ones by name, bool (X, Y, Z) each."""
    made = {
        "true": head.brain,
        **_layers(head),
        **_losses(head),
        **_leaks(head),
        **_elsewhere(head),
    }
    ml = head.sizes_mm.prod() / 1000
    return {name: mask for name, mask in made.items() if mask.sum() * ml >= LEAST_ML}


def _layers(head: Head) -> dict[str, np.ndarray]:
    """Too wide or too tight all around, and a rough surface."""
    above = head.around_brain_mm()
    height = above - ndimage.distance_transform_edt(head.brain, sampling=head.sizes_mm)
    rough = np.random.default_rng(SEED).normal(size=height.shape)
    rough = ndimage.gaussian_filter(rough, 8 / head.sizes_mm)
    return {
        **{f"wider by {mm} mm": height <= mm + 0.01 for mm in (2, 4, 8, 15)},
        **{f"tighter by {mm} mm": height <= -mm - 0.01 for mm in (2, 4, 8)},
        "rough by 2 mm": height < 2 * rough / rough.std(),
        "rough by 5 mm": height < 5 * rough / rough.std(),
    }


def _losses(head: Head) -> dict[str, np.ndarray]:
    """Parts left out."""
    x, y, z = (_share(axis, head.brain) for axis in head.points_mm())
    brain = head.brain
    points = head.points_mm()
    middle = points[:, brain][:, np.random.default_rng(SEED).integers(brain.sum())]
    away = np.linalg.norm(points - middle[:, None, None, None], axis=0)
    return {
        "lowest tenth lost": brain & (z > 0.1),
        "lowest quarter lost": brain & (z > 0.25),
        "lowest third lost": brain & (z > 0.35),
        "top tenth lost": brain & (z < 0.9),
        "top quarter lost": brain & (z < 0.75),
        "left tenth lost": brain & (x > 0.1),
        "left half lost": brain & (x > 0.5),
        "front quarter lost": brain & (y < 0.75),
        "back quarter lost": brain & (y > 0.25),
        "cerebellum lost": brain & ~((z < 0.4) & (y < 0.4)),
        "a temporal lobe lost": brain & ~((z < 0.4) & (y > 0.5) & (x < 0.4)),
        "a ball of 70 mm lost": brain & (away > 35),
    }


def _leaks(head: Head) -> dict[str, np.ndarray]:
    """Parts of the head taken for brain."""
    x, y, z = (_share(axis, head.brain) for axis in head.points_mm())
    brain, skin, near = head.brain, head.inside_skin(), head.around_brain_mm() < 25
    below = skin & (abs(x - 0.5) < 0.35) & (z < 0.15)
    low = head.points_mm()[2] - head.points_mm()[2][brain].min()
    return {
        "20 mm of the neck": brain | (below & (low > -20)),
        "50 mm of the neck": brain | (below & (low > -50)),
        "the face": brain | (skin & (y > 0.55) & (z < 0.5) & (low > -10)),
        "the eyes": brain | (skin & (y > 0.8) & (y < 1.03) & (z < 0.35) & (z > 0.1)),
        "the scalp of one side": brain | (skin & near & (x < 0.5)),
        "the scalp on top": brain | (skin & near & (z > 0.5)),
        "the whole head": skin,
    }


def _elsewhere(head: Head) -> dict[str, np.ndarray]:
    """Masks of a brain's size in a wrong place."""
    points = head.points_mm()
    shift = np.array([0.5, 0.6, -0.6]) / head.sizes_mm
    moved = {
        f"shifted by {mm} mm": ndimage.shift(head.brain.astype(np.float32), mm * shift, order=1)
        > 0.5
        for mm in (10, 20, 40)
    }
    throat = np.linalg.norm(points - np.array([0, 20, -100])[:, None, None, None], axis=0) < 65
    ball = np.linalg.norm(points, axis=0) < 65
    return {**moved, "the throat": throat & head.inside_skin(), "a ball of 130 mm": ball}


def _share(place_mm: np.ndarray, brain: np.ndarray) -> np.ndarray:
    """Where the voxels lie along an axis: 0 where the brain begins, 1 where it ends."""
    inside = place_mm[brain]
    return (place_mm - inside.min()) / np.ptp(inside)
