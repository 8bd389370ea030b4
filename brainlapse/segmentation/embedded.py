"""The embedded network at work: a brain in MNI space goes in, posteriors come out."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from brainlapse.networks.blocks import depth_to_space
from brainlapse.networks.segmenter import Segmenter, block_positions, mask_blocks
from brainlapse.networks.trained import WEIGHTS, load_segmenter
from brainlapse.preprocessing.intensity import normalise
from brainlapse.preprocessing.settings import IntensitySettings
from brainlapse.segmentation.classes import CLASSES
from brainlapse.segmentation.errors import ImplausibleImage
from brainlapse.segmentation.posteriors import Posteriors, clean
from brainlapse.space import grid_at

SHAPE = (160, 192, 160)
GRID = grid_at(1.0, SHAPE)
"""The grid that the network sees, in MNI space at 1 mm; mirrored about its middle plane."""
BACKGROUND = 0.03  # of intensities 0..1; decoded images are not exactly 0 around the brain
SMALLEST_BRAIN_ML = 300.0
CLOSING_VOXELS = 3


@dataclass(frozen=True)
class Network:
    """The network with its weights, on one device."""

    model: Segmenter
    device: torch.device


def load_network(cpu: bool = False, weights: Path = WEIGHTS) -> Network:
    """Load the network onto the GPU if there is one and it is wanted, else onto the CPU.

    Raises
    ------
    FileNotFoundError
        If the weights are missing.
    """
    device = torch.device("cuda" if torch.cuda.is_available() and not cpu else "cpu")
    return Network(load_segmenter(device, weights), device)


def segment_brain(
    volume: np.ndarray, mask: np.ndarray, network: Network, fast: bool = False
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

    Returns
    -------
    Posteriors
        On `GRID`, cleaned; background outside the mask.
    """
    image = torch.from_numpy(normalise(volume, mask, IntensitySettings()))[None, None]
    inside = torch.from_numpy(np.ascontiguousarray(mask))[None]
    shares, right = _look(image, inside, network)
    if not fast:
        mirrored, other_side = _look(image.flip(2), inside.flip(1), network)
        shares = (shares + mirrored.flip(1)) / 2
        right = (right + 1 - other_side.flip(0)) / 2
    return clean(Posteriors(shares.numpy(), right.numpy()))


def find_body(volume: np.ndarray, voxel_mm: float) -> np.ndarray:
    """Find the brain in a stripped scan: the largest bright body, with its holes, bool (X, Y, Z).

    Raises
    ------
    ImplausibleImage
        Where nothing of a brain's size is there.
    """
    bright = volume > BACKGROUND * _bright_level(volume)
    reach = max(1, round(CLOSING_VOXELS / voxel_mm))
    padded = np.pad(bright, reach)
    closed = ndimage.binary_closing(padded, iterations=reach)
    closed = closed[tuple(slice(reach, -reach) for _ in range(3))]
    bodies, count = ndimage.label(closed)
    sizes = np.bincount(bodies.ravel(), minlength=2)[1:]
    largest_ml = sizes.max(initial=0) * voxel_mm**3 / 1000
    if count == 0 or largest_ml < SMALLEST_BRAIN_ML:
        message = f"expected a brain, found a body of {largest_ml:.0f} ml"
        raise ImplausibleImage(message)
    return ndimage.binary_fill_holes(bodies == 1 + int(np.argmax(sizes)))


def _bright_level(volume: np.ndarray) -> float:
    positive = volume[volume > 0]
    return float(np.percentile(positive, 95)) if positive.size else 1.0


def _look(image: Tensor, inside: Tensor, network: Network) -> tuple[Tensor, Tensor]:
    """Shares (CLASSES, X, Y, Z) and probability of the right side (X, Y, Z)."""
    wanted = mask_blocks(inside)
    blocks_mm = block_positions(torch.from_numpy(GRID.affine), SHAPE)[None]
    half = network.device.type == "cuda"
    with (
        torch.inference_mode(),
        torch.autocast(network.device.type, torch.bfloat16, enabled=half),
    ):
        logits = network.model(*(part.to(network.device) for part in (image, blocks_mm, wanted)))
        logits = logits.float()  # (N, 8, CLASSES + 1)
        shares = logits[..., :CLASSES].softmax(dim=-1).cpu()
        right = logits[..., CLASSES].sigmoid().cpu()
    blocks = torch.zeros((*wanted.shape[1:], CLASSES, 8))
    blocks[..., 0, :] = 1
    blocks[wanted[0]] = shares.transpose(1, 2)
    volume = depth_to_space(blocks.flatten(3).permute(3, 0, 1, 2)[None], 2)[0]
    sides = torch.zeros((*wanted.shape[1:], 8))
    sides[wanted[0]] = right
    outside = ~inside[0]
    volume[:, outside] = 0
    volume[0, outside] = 1
    return volume, depth_to_space(sides.permute(3, 0, 1, 2)[None], 2)[0, 0]
