"""Register a brain to the template, rigid first, then affine, with ANTs.

Avants et al. (2011), NeuroImage 54:2033-2044. Both images are brains without skull: a whole head
does not register to a template that has no skull.
Each scan is registered on its own, in one thread.
"""

import tempfile
from pathlib import Path

import ants
import numpy as np
from ants.internal import get_lib_fn, get_pointer_string, process_arguments

from brainlapse.preprocessing.blocks import (
    block_affine,
    block_mean,
    brain_box,
    crop_affine,
    shrink_factors,
)
from brainlapse.preprocessing.orientation import to_canonical
from brainlapse.preprocessing.settings import LevelSettings
from brainlapse.preprocessing.transforms import LPS, read_world_transform, write_world_transform
from brainlapse.rejection import ScanRejected

METRICS = {
    "correlation": "GC[{0},{1},1,1,Regular,{2}]",
    "mutual_information": "MI[{0},{1},1,32,Regular,{2}]",
}
BOX_MARGIN_VOXELS = 5
GRADIENT_STEP = 0.25
CONVERGENCE = "1e-6,10"  # smallest change of the metric, over this many iterations


def prepare_brain(
    volume: np.ndarray, mask: np.ndarray, affine: np.ndarray, voxel_mm: float
) -> ants.ANTsImage:
    """Strip, crop and shrink a bias-corrected scan to about the registration's voxel size.

    Parameters
    ----------
    volume, mask
        (X, Y, Z) intensities and bool brain mask, any axis order.
    affine
        Voxel to world mm (RAS), (4, 4).
    """
    turned, canonical_affine = to_canonical(np.where(mask, volume, 0), affine)
    turned_mask, _ = to_canonical(mask, affine)
    factors = shrink_factors(canonical_affine, voxel_mm)
    box = brain_box(turned_mask, BOX_MARGIN_VOXELS * max(factors))
    brain = block_mean(turned[box], factors)
    return to_ants(
        brain / np.median(turned[turned_mask]),
        block_affine(crop_affine(canonical_affine, box), factors),
    )


def register_level(
    kind: str,
    template: ants.ANTsImage,
    brain: ants.ANTsImage,
    level: LevelSettings,
    seed: int,
    start: np.ndarray | None = None,
) -> np.ndarray:
    """Register a brain to the template at one level.

    Parameters
    ----------
    kind
        ``Rigid`` or ``Affine``.
    template, brain
        T1 of the template's brain, through `to_ants`, and the scan's from `prepare_brain`.
    level
        Metric and resolutions.
    seed
        Of the metric's sampling; with one thread the same seed gives the same transform.
    start
        Template world to scan world mm (RAS), (4, 4); by default the centres of mass are laid
        upon each other.

    Returns
    -------
    numpy.ndarray
        Template world to scan world mm (RAS), float64 (4, 4).

    Raises
    ------
    ScanRejected
        If the optimiser fails.
    """
    fixed, moving = get_pointer_string(template), get_pointer_string(brain)
    with tempfile.TemporaryDirectory() as folder:
        initial = f"[{fixed},{moving},1]"
        if start is not None:
            initial = str(Path(folder, "start.mat"))
            write_world_transform(initial, start)
        arguments = [
            "--dimensionality", "3",
            "--float", "1",
            "--random-seed", str(seed),
            "--initial-moving-transform", initial,
            "--transform", f"{kind}[{GRADIENT_STEP}]",
            "--metric", METRICS[level.metric].format(fixed, moving, level.sampling),
            "--convergence", f"[{_joined(level.iterations)},{CONVERGENCE}]",
            "--shrink-factors", _joined(level.shrink),
            "--smoothing-sigmas", _joined(level.smoothing),
            "--use-histogram-matching", "0",
            "--collapse-output-transforms", "1",
            "--write-composite-transform", "0",
            "--output", str(Path(folder, "level")),
        ]  # fmt: skip
        try:
            failed = get_lib_fn("antsRegistration")(process_arguments(arguments))
        except RuntimeError as error:  # the way every ITK exception arrives
            message = f"Expected a registration to the template, but ANTs failed ({error})."
            raise ScanRejected(message) from error
        result = Path(folder, "level0GenericAffine.mat")
        if failed or not result.is_file():
            message = (
                "Expected a registration to the template, but ANTs gave none at the "
                f"{kind.lower()} level; look at the brain mask."
            )
            raise ScanRejected(message)
        return read_world_transform(result)


def to_ants(volume: np.ndarray, affine: np.ndarray) -> ants.ANTsImage:
    """Wrap a volume (X, Y, Z) with its RAS affine as an ANTs image, which is LPS."""
    itk = LPS @ affine
    spacing = np.linalg.norm(itk[:3, :3], axis=0)
    return ants.from_numpy(
        np.ascontiguousarray(volume, dtype=np.float32),
        origin=itk[:3, 3].tolist(),
        spacing=spacing.tolist(),
        direction=itk[:3, :3] / spacing,
    )


def _joined(numbers: tuple[float, ...]) -> str:
    return "x".join(f"{number:g}" for number in numbers)
