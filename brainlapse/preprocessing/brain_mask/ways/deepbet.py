"""deepbet on the scan as it is stored, or laid upright.

Fisch et al. (2024), Computers in Biology and Medicine, doi:10.1016/j.compbiomed.2024.108845.
"""

import numpy as np
from scipy import ndimage

from brainlapse.preprocessing.brain_mask.raw_head import NoMask, RawHead
from brainlapse.preprocessing.brain_mask.settings import MaskSettings
from brainlapse.preprocessing.brain_mask.upright import SHAPE, carry_back, sample, upright_affine


def find_as_stored(head: RawHead) -> np.ndarray:
    """Show deepbet the scan as it is, without the margin of one value that pads some scans."""
    padded = head.volume == head.volume.flat[0]
    box = ndimage.find_objects((~padded).astype(np.uint8))[0]
    mask = np.zeros(head.volume.shape, dtype=bool)
    mask[box] = run_deepbet(head.volume[box], head.settings)
    return mask


def find_upright(head: RawHead) -> np.ndarray:
    """Show deepbet the head upright and cropped, for turned heads and much neck or air."""
    return _find_in_box(head, head.volume)


def find_flattened(head: RawHead) -> np.ndarray:
    """Show deepbet the upright head without its coil profile and with its fat dimmed."""
    return _find_in_box(head, head.flat)


def _find_in_box(head: RawHead, volume: np.ndarray) -> np.ndarray:
    box = upright_affine(head.pose.transform)
    mask = run_deepbet(sample(volume, head.affine, box, SHAPE), head.settings)
    return carry_back(mask, box, head.affine, volume.shape)


def run_deepbet(volume: np.ndarray, settings: MaskSettings) -> np.ndarray:
    """Run the network on a volume (X, Y, Z) in RAS+ order; bool mask on the same grid.

    Raises
    ------
    NoMask
        If it sees no brain.
    """
    from deepbet import BrainExtraction  # here, for only this way shall wait 1.3 s for torch

    edge = settings.network_voxels
    extraction = BrainExtraction(no_gpu=True)
    try:
        probability = extraction.run_model(
            np.array(volume, dtype=np.float32), shape=(edge, edge, edge)
        )
        return extraction.postprocess(probability > settings.threshold).astype(bool)
    except (AssertionError, ValueError) as error:  # how deepbet says that it sees no brain
        message = f"nothing that looks like a brain ({error})"
        raise NoMask(message) from error
