"""Remove slow intensity changes across a scan: N4 inside the brain mask.

Tustison et al. (2010), IEEE TMI 29:1310-1320. The field is smooth, so it is fitted on
voxels picked from the brain on a coarse lattice and evaluated once at full size.
"""

import numpy as np

from brainlapse.preprocessing.blocks import (
    block_affine,
    block_mean,
    brain_box,
    shrink_factors,
    spread_samples,
)
from brainlapse.preprocessing.itk import ItkFailed, run, to_itk
from brainlapse.preprocessing.orientation import from_canonical, to_canonical, voxel_sizes_mm
from brainlapse.preprocessing.settings import BiasSettings
from brainlapse.rejection import ScanRejected

BOX_MARGIN_VOXELS = 2
FULL_BLOCK = 0.75  # blocks with less brain would mix in the mask's edge
AIR_PERCENTILE = 5  # of all voxels: air; fewer may be spikes, or dark for another reason
MIN_SAMPLES = 200  # a brain has about 2,500 at the default distance of 8 mm


def remove_offset(volume: np.ndarray) -> np.ndarray:
    """Shift intensities (X, Y, Z) so that air is near 0, which a multiplicative field assumes."""
    return volume - np.percentile(volume, AIR_PERCENTILE).astype(volume.dtype)


def estimate_log_field(
    volume: np.ndarray, mask: np.ndarray, affine: np.ndarray, settings: BiasSettings
) -> np.ndarray:
    """Estimate the logarithm of the bias field.

    Parameters
    ----------
    volume
        (X, Y, Z) intensities, air near 0.
    mask
        bool (X, Y, Z), the brain.
    affine
        Voxel to world mm (RAS), (4, 4).

    Returns
    -------
    numpy.ndarray
        float32 (X, Y, Z) on the grid of `volume`, mean 0 inside the mask, smooth everywhere.

    Raises
    ------
    ScanRejected
        If there is too little positive signal inside the mask, or N4 fails.
    """
    turned, canonical_affine = to_canonical(volume, affine)
    turned_mask, _ = to_canonical(mask, affine)
    box = brain_box(turned_mask, BOX_MARGIN_VOXELS)
    factors = shrink_factors(canonical_affine, settings.resolution_mm)
    share = block_mean(turned_mask[box], factors)
    blocks = block_mean(turned[box] * turned_mask[box], factors) / np.maximum(share, 1e-6)
    brain = (share >= FULL_BLOCK) & (blocks > 0)
    strides = shrink_factors(block_affine(canonical_affine, factors), settings.sample_mm)
    lattice = tuple(slice(stride // 2, None, stride) for stride in strides)
    if brain[lattice].sum() < MIN_SAMPLES:
        message = (
            "Expected positive intensities inside the brain, found them at "
            f"{int(brain[lattice].sum())} points {settings.sample_mm:g} mm apart; "
            "look at the scan and its brain mask."
        )
        raise ScanRejected(message)
    step = np.asarray(strides) * factors
    spacing_mm = voxel_sizes_mm(canonical_affine) * step
    log_samples = _run_n4(blocks[lattice], brain[lattice], spacing_mm, settings)
    first = [side.start for side in box] + (np.asarray(strides) // 2 + 0.5) * factors - 0.5
    log_field = spread_samples(log_samples, first, step, turned.shape)
    return from_canonical(log_field - log_field[turned_mask].mean(), affine)


def remove_field(volume: np.ndarray, log_field: np.ndarray) -> np.ndarray:
    """Divide a volume (X, Y, Z) by a bias field given as its logarithm; float32."""
    return (volume * np.exp(-log_field)).astype(np.float32)


def _run_n4(
    samples: np.ndarray, brain: np.ndarray, spacing_mm: np.ndarray, settings: BiasSettings
) -> np.ndarray:
    """Return the log field that N4 finds on the samples (x, y, z)."""
    # N4 works on logarithms: a common scale keeps its histogram the same for every gain.
    scaled = np.where(brain, samples / np.median(samples[brain]), 0)
    lattice = np.diag([*spacing_mm, 1.0])
    image, mask, unbiased, found = (
        to_itk(volume, lattice) for volume in (scaled, brain, scaled, scaled)
    )
    iterations = "x".join(str(count) for count in settings.iterations)
    arguments = [
        *("-d", "3", "-i", image.argument, "-x", mask.argument, "-s", "1", "-r", "0"),
        *("-c", f"[{iterations}, {settings.tolerance:.10f}]", "-b", "[1x1x1]", "-v", "0"),
        *("-o", f"[{unbiased.argument},{found.argument}]"),
    ]
    try:
        run("N4BiasFieldCorrection", arguments)
    except ItkFailed as error:
        message = f"Expected a bias field, but N4 failed ({error}); look at the scan."
        raise ScanRejected(message) from error
    field = found.volume()
    if not np.isfinite(field).all() or field.min() <= 0:
        message = "Expected a positive bias field, but N4 returned none; look at the scan."
        raise ScanRejected(message)
    return np.log(field)
