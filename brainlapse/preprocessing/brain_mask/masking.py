"""Find the brain in a raw scan: way after way, until a mask convinces the judge."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from brainlapse.images import fill_holes
from brainlapse.preprocessing.brain_mask.judge import Judgement, MaskJudge
from brainlapse.preprocessing.brain_mask.raw_head import NoMask, RawHead, Target, WayMissing
from brainlapse.preprocessing.brain_mask.settings import MaskSettings
from brainlapse.preprocessing.brain_mask.ways.registry import WAYS
from brainlapse.preprocessing.orientation import from_canonical, to_canonical, voxel_volume_ml
from brainlapse.rejection import ScanRejected
from brainlapse.runtime import log


@dataclass(frozen=True)
class Trial:
    """What came of one way: a mask and its judgement, or the reason why there is none.

    Attributes
    ----------
    mask
        bool (X, Y, Z) on the RAS+ grid: one piece, without holes.
    """

    way: str
    mask: np.ndarray | None = None
    judgement: Judgement | None = None
    found: str = ""

    @property
    def score(self) -> float:
        """Of the judge, 0 to 1; -1 without a mask."""
        return self.judgement.score if self.judgement else -1.0

    def rank(self) -> tuple[float, float]:
        """Return what to order trials by."""
        return self.score, self.judgement.mean if self.judgement else 0.0

    def record(self) -> dict[str, Any]:
        """Return the score and its numbers, or the reason."""
        if self.judgement is None:
            return {"found": self.found}
        numbers = {"score": self.score, **self.judgement.numbers}
        return {name: round(number, 3) for name, number in numbers.items()}


@dataclass(frozen=True)
class FoundBrain:
    """The mask of a scan.

    Attributes
    ----------
    mask
        bool (X, Y, Z), everything inside the skull's inner surface, on the scan's own grid.
    way
        That won.
    score
        Of the judge, 0 to 1.
    tried
        By way, in the order in which they were gone: score and numbers, or the reason for none.
    """

    mask: np.ndarray
    way: str
    score: float
    tried: dict[str, dict[str, Any]]

    def record(self) -> dict[str, Any]:
        """Return what ``_qc.json`` says of it."""
        return {"way": self.way, "score": round(self.score, 3), "tried": self.tried}


def find_brain(
    volume: np.ndarray, affine: np.ndarray, target: Target, settings: MaskSettings
) -> FoundBrain:
    """Go the ways of the settings until one convinces, and return the best mask of all.

    Parameters
    ----------
    volume
        (X, Y, Z) raw intensities, any axis order, a whole head or a stripped brain.
    affine
        Voxel to world mm (RAS), (4, 4).
    target
        T1 of the template's brain, (X, Y, Z), and its affine.

    Raises
    ------
    ScanRejected
        If no way gives a mask.
    """
    if volume.max() <= volume.min():
        message = (
            f"Expected a head, found the value {volume.min():g} in every voxel; "
            "export the scan again."
        )
        raise ScanRejected(message)
    head = RawHead(*to_canonical(volume, affine), target, settings)
    judge = MaskJudge(head.volume, head.affine, target)
    trials: list[Trial] = []
    for way in settings.ways:
        trials.append(try_way(way, head, judge))
        log.info("mask by %s: %s", way, trials[-1].record())
        if trials[-1].score >= settings.convincing:
            break
    best = max(trials, key=Trial.rank)
    if best.mask is None:
        raise ScanRejected(_no_brain(trials))
    tried = {trial.way: trial.record() for trial in trials}
    return FoundBrain(from_canonical(best.mask, affine), best.way, best.score, tried)


def try_way(way: str, head: RawHead, judge: MaskJudge) -> Trial:
    """Go one way, and judge where it led."""
    settings = head.settings
    try:
        mask = WAYS[way](head)
    except (NoMask, WayMissing) as reason:
        return Trial(way, found=str(reason))
    mask = keep_one_piece(mask)
    volume_ml = float(mask.sum()) * voxel_volume_ml(head.affine)
    if not settings.min_volume_ml <= volume_ml <= settings.max_volume_ml:
        limits = f"{settings.min_volume_ml:g} to {settings.max_volume_ml:g} ml expected"
        return Trial(way, found=f"a mask of {volume_ml:.0f} ml, {limits}")
    return Trial(way, mask, judge.judge(mask))


def keep_one_piece(mask: np.ndarray) -> np.ndarray:
    """Return the largest piece of a mask (X, Y, Z), its holes filled."""
    pieces, count = ndimage.label(mask)
    if count > 1:
        mask = pieces == 1 + np.argmax(np.bincount(pieces.ravel())[1:])
    return fill_holes(mask)


def _no_brain(trials: list[Trial]) -> str:
    found = "; ".join(f"{trial.way}: {trial.found}" for trial in trials)
    return (
        f"Expected a T1-weighted head, found no brain in it ({found}); look at the scan, at the "
        "voxel size in its header and at `preprocess.mask`."
    )
