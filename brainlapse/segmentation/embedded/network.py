"""The embedded network at work: a brain in MNI space goes in, posteriors come out."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from brainlapse.images import fill_holes
from brainlapse.networks.segmenter import (
    BLOCK,
    GRID_FACTOR,
    Segmenter,
    block_positions,
    block_rows,
    mask_blocks,
)
from brainlapse.networks.trained import WEIGHTS, load_segmenter
from brainlapse.preprocessing.intensity import normalise
from brainlapse.preprocessing.settings import IntensitySettings
from brainlapse.segmentation.classes import CLASSES
from brainlapse.segmentation.embedded.posteriors import Posteriors, clean
from brainlapse.segmentation.errors import ImplausibleImage
from brainlapse.space import Grid, grid_at

SHAPE = (160, 192, 160)
GRID = grid_at(1.0, SHAPE)
"""The grid that the network sees, in MNI space at 1 mm; mirrored about its middle plane."""
BACKGROUND = 0.03  # of intensities 0..1; decoded images are not exactly 0 around the brain
SMALLEST_BRAIN_ML = 300.0
LARGEST_BRAIN_ML = 3000.0  # noise, or a head that was not stripped, fills more
CLOSING_MM = 3.0
MARGIN_VOXELS = 1
BLOCKS_AT_ONCE = 4096  # as many as fit in a processor's cache


@dataclass(frozen=True)
class Network:
    """The network with its weights, on one device, in half precision or not."""

    model: Segmenter
    device: torch.device
    half: bool


def load_network(weights: Path = WEIGHTS, cpu: bool = False) -> Network:
    """Load the network onto the GPU if there is one and it is wanted, else onto the CPU.

    Raises
    ------
    FileNotFoundError
        If the weights are missing.
    """
    device = torch.device("cuda" if torch.cuda.is_available() and not cpu else "cpu")
    return Network(load_segmenter(device, weights), device, half=device.type == "cuda")


def segment_brain(
    volume: np.ndarray,
    mask: np.ndarray,
    network: Network,
    fast: bool = False,
    scaled: bool = False,
) -> Posteriors:
    """Segment a stripped brain.

    Parameters
    ----------
    volume
        (160, 192, 160) on `GRID`, any scale; brought to the chain's intensities here.
    mask
        bool, the brain with its fluid.
    fast
        Leave out the second look at the mirror image.
    scaled
        The volume has the chain's intensities already, 0 outside the mask, and keeps them.

    Returns
    -------
    Posteriors
        Around the brain, cleaned; background outside the mask.
    """
    box = brain_box(mask)
    found = volume[box] if scaled else normalise(volume[box], mask[box], IntensitySettings())
    image = torch.from_numpy(np.ascontiguousarray(found, dtype=np.float32))
    inside = torch.from_numpy(np.ascontiguousarray(mask[box]))
    first = (box[0].start, box[1].start, box[2].start)
    rows, wanted = _look(image, inside, first, network)
    if not fast:
        mirrored, _ = _look(image.flip(0), inside.flip(0), first, network)
        _average(rows, mirrored, wanted)
    affine = GRID.affine.copy()
    affine[:3, 3] += first
    x, y, z = image.shape
    return clean(Posteriors(rows, wanted, Grid((x, y, z), affine)))


def brain_box(mask: np.ndarray) -> tuple[slice, slice, slice]:
    """Return the box of the grid that the network has to see.

    Around the brain with a margin, of sizes that the network can halve, and alike on both sides
    of the middle plane, so that the mirror image fills the same box.
    """
    found = ndimage.find_objects(mask.astype(np.uint8))[0]
    low, high = found[0].start, found[0].stop
    side = min(low, SHAPE[0] - high)
    edges = [(side, SHAPE[0] - side), *((part.start, part.stop) for part in found[1:])]
    box = []
    for (begin, end), size in zip(edges, SHAPE, strict=True):
        wanted = min(size, -(-(end - begin + 2 * MARGIN_VOXELS) // GRID_FACTOR) * GRID_FACTOR)
        # Blocks of two voxels lie where they lay in training: boxes begin at even voxels.
        start = int(np.clip((begin + end - wanted) // 4 * 2, 0, size - wanted))
        box.append(slice(start, start + wanted))
    return (box[0], box[1], box[2])


def find_body(volume: np.ndarray, voxel_mm: float) -> np.ndarray:
    """Find the brain in a stripped scan: the largest bright body, with its holes, bool (X, Y, Z).

    Raises
    ------
    ImplausibleImage
        Where nothing of a brain's size is there, or the body is larger than any brain.
    """
    bright = volume > BACKGROUND * _bright_level(volume)
    reach = max(1, round(CLOSING_MM / voxel_mm))
    padded = np.pad(bright, reach)
    closed = ndimage.binary_closing(padded, iterations=reach)
    closed = closed[tuple(slice(reach, -reach) for _ in range(3))]
    bodies, _ = ndimage.label(closed)
    sizes = np.bincount(bodies.ravel(), minlength=2)[1:]
    largest_ml = sizes.max(initial=0) * voxel_mm**3 / 1000
    if not SMALLEST_BRAIN_ML <= largest_ml <= LARGEST_BRAIN_ML:
        message = f"expected a brain, found a body of {largest_ml:.0f} ml"
        raise ImplausibleImage(message)
    return fill_holes(bodies == 1 + int(np.argmax(sizes)))


def _bright_level(volume: np.ndarray) -> float:
    positive = volume[volume > 0]
    return float(np.percentile(positive, 95)) if positive.size else 1.0


def _look(
    image: Tensor, inside: Tensor, first: tuple[int, int, int], network: Network
) -> tuple[Tensor, Tensor]:
    """Rows (N, 8, CLASSES + 1) of a box, see `Posteriors`, and the blocks they belong to."""
    shape = (image.shape[0], image.shape[1], image.shape[2])
    wanted = mask_blocks(inside[None])
    blocks_mm = block_positions(torch.from_numpy(GRID.affine), shape, first)[None]
    device = network.device
    with (
        torch.no_grad(),
        torch.autocast(device.type, torch.bfloat16, enabled=network.half),
    ):
        inputs = (image[None, None], blocks_mm, wanted)
        rows = network.model(*(part.to(device) for part in inputs)).float()
        for part in rows.split(BLOCKS_AT_ONCE):
            part[..., :CLASSES] = part[..., :CLASSES].softmax(dim=-1)
        rows[..., CLASSES].sigmoid_()
    rows = rows.cpu()
    outside = ~block_rows(inside[None], wanted)  # (N, 8)
    rows[..., :CLASSES].masked_fill_(outside[..., None], 0)
    rows[..., 0].masked_fill_(outside, 1)
    return rows, wanted[0]


def _average(rows: Tensor, mirrored: Tensor, wanted: Tensor) -> None:
    """Average rows (N, 8, CLASSES + 1), in place, with those of the mirror image.

    Parameters
    ----------
    mirrored
        (N, 8, CLASSES + 1), in the order of ``wanted.flip(0).nonzero()``.
    wanted
        bool (X/2, Y/2, Z/2), blocks of the image.
    """
    numbers = torch.zeros(wanted.shape, dtype=torch.int64)
    numbers[wanted.flip(0)] = torch.arange(len(mirrored))
    places = numbers.flip(0)[wanted]
    parts = zip(rows.split(BLOCKS_AT_ONCE), places.split(BLOCKS_AT_ONCE), strict=True)
    for part, chosen in parts:
        halves = mirrored[chosen].view(-1, BLOCK, BLOCK**2, CLASSES + 1)  # x leads in a block
        turned = halves.flip(1).view(-1, BLOCK**3, CLASSES + 1)
        turned[..., CLASSES] = 1 - turned[..., CLASSES]  # the other side
        part.add_(turned).mul_(0.5)
