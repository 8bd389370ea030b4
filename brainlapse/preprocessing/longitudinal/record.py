"""What a later visit's job writes down, for the steps and visits that follow."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from brainlapse.preprocessing.longitudinal.chain import Placement
from brainlapse.preprocessing.longitudinal.files import VisitFiles
from brainlapse.preprocessing.longitudinal.visit import Root, read_visit, root_of
from brainlapse.preprocessing.quality.settings import QualitySettings
from brainlapse.preprocessing.quality.verdict import judge
from brainlapse.rejection import read_rejection
from brainlapse.runtime import read_json


def read_roots(visits: Sequence[VisitFiles], settings: QualitySettings) -> Iterator[Root]:
    """Read, one at a time, the earlier visits that a later one may join, in the order given."""
    for files in visits:
        if may_be_root(files.quality, settings):
            yield read_visit(files)


def may_be_root(quality: Path, settings: QualitySettings) -> bool:
    """Whether a visit went through preprocessing, was not refused, and has joined no other."""
    if read_rejection(quality) is not None:
        return False
    verdict = judge(read_json(quality, ["numbers"])["numbers"], settings)
    return root_of(quality) is None and verdict.status != "rejected"


def read_anchors(scale: Path) -> tuple[float, float]:
    """Return the intensities that became 0 and the upper level in an earlier visit."""
    low, high = read_json(scale, ["anchors"])["anchors"]
    return low, high


def visit_record(placement: Placement, anchors: tuple[float, float] | None) -> Mapping[str, Any]:
    """Return the content of ``_visit.json``."""
    comparisons = {
        scan: {name: float(f"{value:.6g}") for name, value in numbers.items()}
        for scan, numbers in placement.comparisons.items()
    }
    root = placement.root.scan if placement.root else None
    return {
        "root": root,
        "same_person_as": placement.same_person_as,
        "anchors": anchors,
        "comparisons": comparisons,
    }
