"""One head through preprocessing, from the library, up to its verdict."""

import time
from dataclasses import dataclass, field

import numpy as np

from brainlapse.preprocessing.bias import estimate_log_field, remove_field, remove_offset
from brainlapse.preprocessing.brain_mask.masking import find_brain
from brainlapse.preprocessing.intensity import find_anchors, normalise
from brainlapse.preprocessing.quality.measures import NativeScan, measure
from brainlapse.preprocessing.quality.reference import registration_target, sample_reference
from brainlapse.preprocessing.quality.verdict import judge
from brainlapse.preprocessing.registration.ants import prepare_brain
from brainlapse.preprocessing.registration.levels import register_brain
from brainlapse.preprocessing.resampling import resample_brain
from brainlapse.preprocessing.settings import PreprocessSettings
from brainlapse.rejection import ScanRejected
from brainlapse.space import grid_at

SETTINGS = PreprocessSettings()
TARGET = registration_target(SETTINGS.registration.voxel_mm)
GRID = grid_at(2.0, (96, 116, 96))
REFERENCE = sample_reference(GRID)


@dataclass(frozen=True)
class Outcome:
    """What became of a head.

    Attributes
    ----------
    status, reasons
        Accepted, flagged or rejected, and why. A scan is not compared with others here.
    numbers
        Of quality control, with the score of the mask; empty where no mask was found.
    mask
        bool (X, Y, Z) on the head's grid; None where none was found.
    way
        To the mask.
    seconds
        CPU s in all.
    """

    status: str
    reasons: list[str]
    seconds: float
    numbers: dict[str, float] = field(default_factory=dict)
    mask: np.ndarray | None = None
    way: str = ""


def run_chain(volume: np.ndarray, affine: np.ndarray) -> Outcome:
    """Mask, correct, register, normalise and judge a raw head (X, Y, Z)."""
    began = time.process_time()
    try:
        found = find_brain(volume, affine, TARGET, SETTINGS.mask)
        corrected = remove_offset(volume)
        log_field = estimate_log_field(corrected, found.mask, affine, SETTINGS.bias)
        corrected = remove_field(corrected, log_field)
        brain = prepare_brain(corrected, found.mask, affine, SETTINGS.registration.voxel_mm)
        transform = register_brain(TARGET, brain, SETTINGS.registration)[-1]
        numbers = measure_placed(NativeScan(volume, corrected, found.mask, affine), transform)
    except ScanRejected as error:
        return Outcome("rejected", [str(error)], time.process_time() - began)
    numbers["mask_score"] = found.score
    verdict = judge(numbers, SETTINGS.quality)
    seconds = time.process_time() - began
    return Outcome(verdict.status, verdict.reasons, seconds, numbers, found.mask, found.way)


def measure_placed(native: NativeScan, transform: np.ndarray) -> dict[str, float]:
    """Resample a scan by a transform from the template (4, 4), normalise and measure it."""
    stripped, inside = resample_brain(
        native.corrected, native.mask, native.affine, GRID, transform, SETTINGS.resampling
    )
    anchors = find_anchors(stripped[inside], SETTINGS.intensity, REFERENCE.white[inside])
    return measure(
        native=native,
        transform=transform,
        brain=normalise(stripped, inside, SETTINGS.intensity, anchors),
        brain_mask=inside,
        reference=REFERENCE,
        grid_affine=GRID.affine,
    )
