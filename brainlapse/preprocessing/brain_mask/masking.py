"""Find the brain in a raw head scan.

Every method gets the head upright and cropped, so that the mask does not depend on how the head
lies in the scanner's axes, nor on how much neck and air there is.
"""

import numpy as np
from scipy import ndimage

from brainlapse.images import fill_holes
from brainlapse.preprocessing.brain_mask.head_pose import find_head_pose
from brainlapse.preprocessing.brain_mask.settings import MaskSettings
from brainlapse.preprocessing.brain_mask.synthstrip import find_with_synthstrip
from brainlapse.preprocessing.brain_mask.upright import SHAPE, carry_back, sample, upright_affine
from brainlapse.preprocessing.orientation import from_canonical, to_canonical, voxel_volume_ml
from brainlapse.rejection import ScanRejected

Target = tuple[np.ndarray, np.ndarray]
STRIPPED_ML = 2300.0  # a head without its skull is smaller, a whole one larger


def find_brain(
    volume: np.ndarray, affine: np.ndarray, target: Target, settings: MaskSettings
) -> np.ndarray:
    """Return the mask of everything inside the skull's inner surface.

    Parameters
    ----------
    volume
        (X, Y, Z) raw intensities, any axis order, a whole head or a stripped brain.
    affine
        Voxel to world mm (RAS), (4, 4).
    target
        T1 of the template's brain, (X, Y, Z), and its affine.

    Returns
    -------
    numpy.ndarray
        bool (X, Y, Z) on the grid of `volume`: one piece, without holes.

    Raises
    ------
    ScanRejected
        If no brain, or one of impossible size, is found.
    """
    if volume.max() <= volume.min():
        message = (
            f"Expected a head, found the value {volume.min():g} in every voxel; "
            "export the scan again."
        )
        raise ScanRejected(message)
    canonical, canonical_affine = to_canonical(volume, affine)
    background = stripped_background(canonical, canonical_affine)
    if background is None:
        brain = _find_in_head(canonical, canonical_affine, target, settings)
    else:
        brain = keep_one_piece(canonical != background)
    mask = from_canonical(brain, affine)
    check_volume(mask, affine, settings)
    return mask


def stripped_background(volume: np.ndarray, affine: np.ndarray) -> float | None:
    """Return the value around the brain of a scan that was stripped before; None for a whole head.

    Outside a stripped brain all voxels hold one value, and what differs has a brain's size.
    """
    edges = [volume.take(index, axis) for axis in range(3) for index in (0, -1)]
    values, counts = np.unique(np.concatenate([e.ravel() for e in edges]), return_counts=True)
    background = float(values[np.argmax(counts)])
    brain_ml = float((volume != background).sum()) * voxel_volume_ml(affine)
    return background if brain_ml <= STRIPPED_ML else None


def _find_in_head(
    volume: np.ndarray, affine: np.ndarray, target: Target, settings: MaskSettings
) -> np.ndarray:
    pose = find_head_pose((volume, affine), target)
    box = upright_affine(pose.transform)
    head = sample(volume, affine, box, SHAPE)
    if head.max() <= head.min():
        message = (
            "Expected a head, found one value wherever the template fits best; look at the scan."
        )
        raise ScanRejected(message)
    upright = METHODS[settings.method](head, box, target, settings)
    return keep_one_piece(carry_back(upright, box, affine, volume.shape))


def keep_one_piece(mask: np.ndarray) -> np.ndarray:
    """Return the largest piece of a mask (X, Y, Z), its holes filled."""
    pieces, count = ndimage.label(mask)
    if count > 1:
        mask = pieces == 1 + np.argmax(np.bincount(pieces.ravel())[1:])
    return fill_holes(mask)


def find_with_deepbet(
    head: np.ndarray, affine: np.ndarray, target: Target, settings: MaskSettings
) -> np.ndarray:
    """Run deepbet (Fisch et al. 2024, doi:10.1016/j.compbiomed.2024.108845) on an upright head."""
    from deepbet import BrainExtraction  # here, for only this method shall wait 1.3 s for torch

    edge = settings.network_voxels
    extraction = BrainExtraction(no_gpu=True)
    try:
        probability = extraction.run_model(head.copy(), shape=(edge, edge, edge))
        mask = extraction.postprocess(probability > settings.threshold)
    except (AssertionError, ValueError) as error:  # how deepbet says that it sees no brain
        message = (
            f"Expected a T1-weighted head, found nothing that looks like a brain ({error}); "
            "look at the scan."
        )
        raise ScanRejected(message) from error
    return mask.astype(bool)


def find_with_template(
    head: np.ndarray, affine: np.ndarray, target: Target, settings: MaskSettings
) -> np.ndarray:
    """Lay the template's mask on the head: rough, for heads that no network understands.

    Shape and size of the brain are the template's but for rotation, shift and one scale.
    """
    pose = find_head_pose((head, affine), target)
    if pose.correlation < settings.min_template_correlation:
        message = (
            "Expected a head whose brain resembles the template's, found a correlation of "
            f"{pose.correlation:.2f} (at least {settings.min_template_correlation:g}); look at "
            "the scan, or take another `preprocess.mask.method`."
        )
        raise ScanRejected(message)
    t1, target_affine = target
    return sample(t1 > 0, target_affine, np.linalg.inv(pose.transform) @ affine, head.shape) > 0.5


METHODS = {
    "deepbet": find_with_deepbet,
    "synthstrip": find_with_synthstrip,
    "template": find_with_template,
}


def check_volume(mask: np.ndarray, affine: np.ndarray, settings: MaskSettings) -> None:
    """Refuse a mask (X, Y, Z) whose volume no human brain has.

    Raises
    ------
    ScanRejected
        With the volume and the limits.
    """
    volume_ml = float(mask.sum()) * voxel_volume_ml(affine)
    if not settings.min_volume_ml <= volume_ml <= settings.max_volume_ml:
        message = (
            f"Expected a brain mask of {settings.min_volume_ml:g} to {settings.max_volume_ml:g} "
            f"ml, found {volume_ml:.0f} ml; look at the scan and at the voxel size in its header."
        )
        raise ScanRejected(message)
