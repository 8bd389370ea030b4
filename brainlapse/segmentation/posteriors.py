"""Posteriors of the 32 structures on the segmenter's grid: clean-up, volumes, labels."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from brainlapse.segmentation.classes import CLASS_LABELS, MIRRORED, PAIRED
from brainlapse.segmentation.labels import STRUCTURES
from brainlapse.space import Grid

COMPACT: tuple[tuple[int, ...], ...] = (
    (2,), (4, 5), (7,), (8,), (10,), (11,), (12,), (13,), (17,), (18,), (26,), (28,),
    (14,), (15,), (16,),
)  # fmt: skip
"""Structures, or groups of them, that are one piece on each side; the left label stands for both
sides. Cortex and fluid outside the ventricles may break up on a coarse grid and are left alone."""


@dataclass(frozen=True)
class Posteriors:
    """What the network believes about one brain.

    Attributes
    ----------
    shares
        float32 (CLASSES, X, Y, Z), add up to 1 over the classes.
    right
        float32 (X, Y, Z), probability of the right side.
    grid
        Where they lie: a box of the network's grid around the brain, in MNI space.
    """

    shares: Tensor
    right: Tensor
    grid: Grid

    def labels(self) -> np.ndarray:
        """Most probable label of every voxel, uint8 (X, Y, Z)."""
        return label_classes(self.shares.argmax(dim=0), self.right > 0.5).numpy()


def label_classes(classes: Tensor, right: Tensor) -> Tensor:
    """Label ids of class numbers and sides (bool), of one shape; uint8."""
    left_labels = torch.tensor(CLASS_LABELS, dtype=torch.uint8)
    right_labels = torch.tensor(
        [MIRRORED.get(label, label) for label in CLASS_LABELS], dtype=torch.uint8
    )
    return torch.where(right, right_labels[classes], left_labels[classes])


def structure_volumes(posteriors: Posteriors, voxel_mm3: float) -> dict[str, float]:
    """Soft volume [mm3] of each of SynthSeg's 32 structures: the sum of its posterior."""
    volumes: dict[int, float] = {}
    for label, paired, share in zip(CLASS_LABELS, PAIRED, posteriors.shares, strict=True):
        total = float(share.sum(dtype=torch.float64)) * voxel_mm3
        on_right = 0.0
        if paired:
            on_right = float((share * posteriors.right).sum(dtype=torch.float64)) * voxel_mm3
            volumes[MIRRORED[label]] = on_right
        volumes[label] = total - on_right
    return {name: volumes[label] for name, label in STRUCTURES.items()}


def clean(posteriors: Posteriors) -> Posteriors:
    """Keep the largest piece of the brain, and of each structure that is one piece.

    What lies apart goes to the next probable classes, as SynthSeg does it.
    """
    shares = posteriors.shares.clone()
    classes = shares.argmax(dim=0).to(torch.uint8).numpy()
    on_right = (posteriors.right > 0.5).numpy()
    brain = classes > 0
    away = brain & ~largest_piece(brain)
    shares[:, torch.from_numpy(away)] = torch.eye(len(CLASS_LABELS))[0][:, None]
    classes[away] = 0
    for group in COMPACT:
        numbers = [CLASS_LABELS.index(label) for label in group]
        members = np.isin(classes, numbers)
        sides = (members & ~on_right, members & on_right) if PAIRED[numbers[0]] else (members,)
        for mine in sides:
            apart = mine & ~largest_piece(mine)
            if apart.any():
                _drop(shares, numbers, torch.from_numpy(apart))
    return replace(posteriors, shares=shares)


def largest_piece(mask: np.ndarray) -> np.ndarray:
    """Largest connected piece of a mask (X, Y, Z), by faces; empty if the mask is."""
    box = ndimage.find_objects(mask.view(np.uint8))
    piece = np.zeros_like(mask)
    if not box:
        return piece
    pieces, count = ndimage.label(mask[box[0]])
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)[1:]
    piece[box[0]] = pieces == 1 + int(np.argmax(sizes))
    return piece


def _drop(shares: Tensor, numbers: list[int], voxels: Tensor) -> None:
    """Take classes out of the running at some voxels; the others share what they held."""
    values = shares[:, voxels]
    values[numbers] = 0
    total = values.sum(dim=0)
    values[0, total <= 0] = 1
    shares[:, voxels] = values / torch.where(total > 0, total, 1)
