"""Find the brain in a raw head scan."""

import numpy as np
from deepbet import BrainExtraction

from brainlapse.preprocessing.orientation import from_canonical, to_canonical, voxel_volume_ml
from brainlapse.preprocessing.settings import MaskSettings
from brainlapse.rejection import ScanRejected


def find_brain(volume: np.ndarray, affine: np.ndarray, settings: MaskSettings) -> np.ndarray:
    """Return the mask of everything inside the skull's inner surface.

    Parameters
    ----------
    volume
        (X, Y, Z) raw intensities, any axis order.
    affine
        Voxel to world mm (RAS), (4, 4).

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
    canonical, _ = to_canonical(volume, affine)
    mask = from_canonical(METHODS[settings.method](canonical, settings), affine)
    check_volume(mask, affine, settings)
    return mask


def _find_with_deepbet(volume: np.ndarray, settings: MaskSettings) -> np.ndarray:
    """Run deepbet (Fisch et al. 2024, doi:10.1016/j.compbiomed.2024.108845) on a RAS+ volume."""
    extraction = BrainExtraction(no_gpu=True)
    edge = settings.network_voxels
    try:
        probability = extraction.run_model(volume.copy(), shape=(edge, edge, edge))
        mask = extraction.postprocess(probability > settings.threshold)
    except (AssertionError, ValueError) as error:  # how deepbet says that it sees no brain
        message = (
            f"Expected a T1-weighted head, found nothing that looks like a brain ({error}); "
            "look at the scan."
        )
        raise ScanRejected(message) from error
    return mask.astype(bool)


METHODS = {"deepbet": _find_with_deepbet}


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
