"""Posteriors of the 32 structures on the segmenter's grid: clean-up, volumes, labels."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from brainlapse.networks.segmenter import BLOCK
from brainlapse.segmentation.classes import CLASS_LABELS, CLASSES, MIRRORED, PAIRED
from brainlapse.segmentation.labels import STRUCTURES
from brainlapse.space import Grid

COMPACT: tuple[tuple[int, ...], ...] = (
    (2,), (4, 5), (7,), (8,), (10,), (11,), (12,), (13,), (17,), (18,), (26,), (28,),
    (14,), (15,), (16,),
)  # fmt: skip
"""Structures, or groups of them, that are one piece on each side; the left label stands for both
sides. Cortex and fluid outside the ventricles may break up on a coarse grid and are left alone."""
GROUP_OF_CLASS = np.zeros(CLASSES, dtype=np.uint8)
"""Number from 1 of the group in `COMPACT` to which each class belongs; 0 for none."""
for _number, _group in enumerate(COMPACT, start=1):
    for _label in _group:
        GROUP_OF_CLASS[CLASS_LABELS.index(_label)] = _number


@dataclass(frozen=True)
class Posteriors:
    """What the network believes about one brain.

    Only blocks of 2 x 2 x 2 voxels that hold brain are kept; all else is background.

    Attributes
    ----------
    rows
        float32 (N, 8, CLASSES + 1): for each block, in the order of ``wanted.nonzero()``, and each
        of its voxels, the shares of the classes, which add up to 1, and the probability of the
        right side.
    wanted
        bool (X/2, Y/2, Z/2), which blocks are kept.
    grid
        Of the voxels (X, Y, Z), in MNI space.
    """

    rows: Tensor
    wanted: Tensor
    grid: Grid

    def labels(self) -> np.ndarray:
        """Most probable label of every voxel, uint8 (X, Y, Z)."""
        shares, right = self.rows[..., :CLASSES], self.rows[..., CLASSES]
        return self.place(label_classes(shares.argmax(dim=-1), right > 0.5)).numpy()

    def place(self, values: Tensor) -> Tensor:
        """Volume (X, Y, Z) of values (N, 8) of the voxels kept; 0 elsewhere."""
        blocks = torch.zeros((*self.wanted.shape, BLOCK, BLOCK, BLOCK), dtype=values.dtype)
        blocks[self.wanted] = values.view(-1, BLOCK, BLOCK, BLOCK)
        return blocks.permute(0, 3, 1, 4, 2, 5).reshape(self.grid.shape)

    def row_numbers(self) -> Tensor:
        """Return the row of every block, int64 (X/2, Y/2, Z/2); N, one too many, where none is."""
        count = len(self.rows)
        numbers = torch.full(self.wanted.shape, count)
        numbers[self.wanted] = torch.arange(count)
        return numbers


def label_classes(classes: Tensor, right: Tensor) -> Tensor:
    """Label ids of class numbers and sides (bool), of one shape; uint8."""
    left_labels = torch.tensor(CLASS_LABELS, dtype=torch.uint8)
    right_labels = torch.tensor(
        [MIRRORED.get(label, label) for label in CLASS_LABELS], dtype=torch.uint8
    )
    return torch.where(right, right_labels[classes], left_labels[classes])


def structure_volumes(posteriors: Posteriors, voxel_mm3: float) -> dict[str, float]:
    """Soft volume [mm3] of each of SynthSeg's 32 structures: the sum of its posterior."""
    shares, right = posteriors.rows[..., :CLASSES], posteriors.rows[..., CLASSES:]
    totals = shares.sum(dim=1).sum(dim=0, dtype=torch.float64) * voxel_mm3
    rights = (shares * right).sum(dim=1).sum(dim=0, dtype=torch.float64) * voxel_mm3
    volumes: dict[int, float] = {}
    for label, paired, total, on_right in zip(
        CLASS_LABELS, PAIRED, totals.tolist(), rights.tolist(), strict=True
    ):
        volumes[label] = total - on_right if paired else total
        if paired:
            volumes[MIRRORED[label]] = on_right
    return {name: volumes[label] for name, label in STRUCTURES.items()}


def clean(posteriors: Posteriors) -> Posteriors:
    """Keep the largest piece of the brain, and of each structure that is one piece.

    What lies apart goes to the next probable classes, as SynthSeg does it. The rows
    change in place; the same posteriors are returned.
    """
    rows = posteriors.rows
    classes = rows[..., :CLASSES].argmax(dim=-1)
    brain = posteriors.place(classes > 0).numpy()
    away = brain & ~largest_piece(brain)
    rows.view(-1, CLASSES + 1)[_places(posteriors, away), :CLASSES] = torch.eye(CLASSES)[0]
    groups = torch.from_numpy(GROUP_OF_CLASS)[classes]
    on_right = (rows[..., CLASSES] > 0.5) & torch.from_numpy(PAIRED)[classes]
    keys = posteriors.place((2 * groups + on_right) * (groups > 0)).numpy()  # uint8 (X, Y, Z)
    keys[away] = 0
    for key, box in enumerate(ndimage.find_objects(keys), start=1):
        if box is None:
            continue
        mine = keys[box] == key
        apart = np.zeros(keys.shape, dtype=bool)
        apart[box] = mine & ~largest_piece(mine)
        if apart.any():
            members = np.flatnonzero(key // 2 == GROUP_OF_CLASS)
            _drop(rows, members.tolist(), _places(posteriors, apart))
    return posteriors


def largest_piece(mask: np.ndarray) -> np.ndarray:
    """Largest connected piece of a mask (X, Y, Z), by faces; empty if the mask is."""
    pieces, count = ndimage.label(mask)
    if count < 2:
        return mask
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)[1:]
    return pieces == 1 + int(np.argmax(sizes))


def _places(posteriors: Posteriors, voxels: np.ndarray) -> Tensor:
    """Rows, of all blocks' voxels one after the other, of the voxels marked; int64."""
    marked = torch.from_numpy(np.argwhere(voxels))
    numbers = posteriors.row_numbers()[tuple((marked // BLOCK).T)]
    return numbers * BLOCK**3 + inner_number(marked)


def inner_number(voxels: Tensor) -> Tensor:
    """Return the number, 0 to 7, of voxels (..., 3) in their blocks."""
    x, y, z = (voxels % BLOCK).unbind(dim=-1)
    return (x * BLOCK + y) * BLOCK + z


def _drop(rows: Tensor, numbers: list[int], places: Tensor) -> None:
    """Take classes out of the running at some voxels; the others share what they held."""
    flat = rows.view(-1, CLASSES + 1)
    values = flat[places, :CLASSES]
    values[:, numbers] = 0
    total = values.sum(dim=1, keepdim=True)
    values[total[:, 0] <= 0, 0] = 1
    flat[places, :CLASSES] = values / torch.where(total > 0, total, 1)
