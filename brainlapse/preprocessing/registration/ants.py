"""Register a brain to the template with ANTs, by correlation or mutual information.

Avants et al. (2011), NeuroImage 54:2033-2044. Both images are brains without skull: a whole head
does not register to a template that has no skull.
Each scan is registered on its own, in one thread.
"""

import tempfile
from pathlib import Path

import numpy as np
from scipy import ndimage

from brainlapse.preprocessing.blocks import (
    block_affine,
    block_mean,
    brain_box,
    crop_affine,
    shrink_factors,
)
from brainlapse.preprocessing.itk import ItkFailed, run, to_itk
from brainlapse.preprocessing.orientation import to_canonical
from brainlapse.preprocessing.registration.settings import LevelSettings
from brainlapse.preprocessing.registration.transforms import (
    read_world_transform,
    write_world_transform,
)
from brainlapse.rejection import ScanRejected

Located = tuple[np.ndarray, np.ndarray]
"""A volume (X, Y, Z), 0 outside the brain, and its affine: voxel to world mm (RAS), (4, 4)."""
METRICS = {
    "correlation": "GC[{0},{1},1,1,Regular,{2}]",
    "mutual_information": "MI[{0},{1},1,32,Regular,{2}]",
}
BOX_MARGIN_VOXELS = 5
RIM_VOXELS = 2
GRADIENT_STEP = 0.1  # 0.25 takes as long, and rounding moves its result further
MASKED_STEP = 0.25  # with 0.1, masked levels stop farther from a planted affine
CONVERGENCE = "1e-6,10"  # smallest change of the metric, over this many iterations


def prepare_brain(
    volume: np.ndarray, mask: np.ndarray, affine: np.ndarray, voxel_mm: float
) -> Located:
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
    brain = block_mean(turned[box], factors) / np.median(turned[turned_mask])
    return brain, block_affine(crop_affine(canonical_affine, box), factors)


def register_ants(
    target: Located,
    brain: Located,
    level: LevelSettings,
    seed: int,
    start: np.ndarray,
) -> np.ndarray:
    """Run one level from one start.

    Parameters
    ----------
    target, brain
        T1 of the template's brain, and the scan's from `prepare_brain`.
    level
        Transform, metric and resolutions.
    seed
        Of the metric's sampling; with one thread the same seed gives the same transform.
    start
        Template world to scan world mm (RAS), (4, 4).

    Returns
    -------
    numpy.ndarray
        Template world to scan world mm (RAS), float64 (4, 4), the start included.

    Raises
    ------
    ScanRejected
        If the optimiser fails.
    """
    fixed, moving = to_itk(*target), to_itk(*brain)
    with tempfile.TemporaryDirectory() as folder:
        initial = str(Path(folder, "start.mat"))
        write_world_transform(initial, start)
        metric = METRICS[level.metric].format(fixed.argument, moving.argument, level.sampling)
        step = MASKED_STEP if level.masked else GRADIENT_STEP
        arguments = [
            "--dimensionality", "3",
            "--float", "1",
            "--random-seed", str(seed),
            "--initial-moving-transform", initial,
            "--transform", f"{level.transform.capitalize()}[{step}]",
            "--metric", metric,
            "--convergence", f"[{_joined(level.iterations)},{CONVERGENCE}]",
            "--shrink-factors", _joined(level.shrink),
            "--smoothing-sigmas", _joined(level.smoothing),
            "--use-histogram-matching", "0",
            "--collapse-output-transforms", "1",
            "--write-composite-transform", "0",
            "--output", str(Path(folder, "level")),
        ]  # fmt: skip
        if level.masked:
            near = ndimage.binary_dilation(target[0] > 0, iterations=RIM_VOXELS)
            mask = to_itk(near, target[1])
            arguments += ["--masks", mask.argument]
        try:
            run("antsRegistration", arguments)
        except ItkFailed as error:
            write_world_transform(Path(folder, "probe.mat"), start)  # was it the disk?
            message = (
                "Expected a registration to the template, but ANTs failed at the "
                f"{level.transform} level ({error}); look at the brain mask."
            )
            raise ScanRejected(message) from error
        return read_world_transform(Path(folder, "level0GenericAffine.mat"))


def _joined(numbers: tuple[float, ...]) -> str:
    return "x".join(f"{number:g}" for number in numbers)
