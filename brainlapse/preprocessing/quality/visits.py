"""Visits of one person held against each other: strangers, copies, other scanners, jumps."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from brainlapse.preprocessing.quality.settings import QualitySettings
from brainlapse.preprocessing.quality.strangers import find_strangers
from brainlapse.rejection import Rejection

IDENTITY = ["dataset", "subject", "session", "scan"]
PAIR_NUMBERS = (
    "moved_mm",
    "turned_degrees",
    "apart_mm",
    "correlation",
    "detail_correlation",
    "scale",
    "mask_coverage",
    "mask_volume_ratio",
    "voxel_volume_ratio",
    "brightness_ratio",
    "field_change",
    "contrast_ratio",
)
COLUMNS = (*IDENTITY, "compared_with", "joined", "findings", *PAIR_NUMBERS)
SCANNER_COLUMNS = {
    "scanner", "scanner_id", "scannerid", "site", "manufacturer", "manufacturersmodelname",
    "magneticfieldstrength", "field_strength", "deviceserialnumber", "stationname",
}  # fmt: skip
"""Columns of scans.tsv, in lower case, that say where a scan was made."""
SAME_VOXELS = 0.05  # voxel volumes that differ less were meant to be the same

Record = dict[str, Any] | Rejection


def judge_visits(
    scans: pd.DataFrame, records: Sequence[Record], settings: QualitySettings
) -> tuple[pd.DataFrame, dict[Any, list[str]]]:
    """Hold each later visit against the earlier ones that it was compared with.

    Parameters
    ----------
    scans
        ``cohort/scans.tsv``.
    records
        Per scan the content of its ``_qc.json``, or the notice in its place.

    Returns
    -------
    tuple
        ``visits.tsv``, with `COLUMNS`: who, the earlier visit, whether the visit joined it, what
        stands out (in words, joined by "; ", missing where nothing does) and the numbers of
        docs/preprocessing.md. And the reasons to flag visits, by label of the index of `scans`.
    """
    strangers = find_strangers(scans, records)
    reasons = {label: [sentence] for label, sentence in strangers.items()}
    places = _scanners(scans)
    rows = []
    for (label, scan), record in zip(scans.iterrows(), records, strict=True):
        visit = {} if isinstance(record, Rejection) else record.get("visit", {})
        for other, numbers in visit.get("comparisons", {}).items():
            joined = visit["root"] == other
            jumps = _jumps(numbers, settings) if joined else []
            moves = _moved(places, label, other, numbers, settings) if joined else []
            found = [strangers[label]] if label in strangers else []
            rows.append(
                {**scan[IDENTITY], "compared_with": other, "joined": joined, **numbers}
                | {"findings": "; ".join([*found, *jumps, *moves]) or None}
            )
            flags = jumps + (moves if settings.scanner_change == "flag" else [])
            if flags:
                against = [f"against {other}: {flag}" for flag in flags]
                reasons[label] = [*reasons.get(label, []), *against]
    return pd.DataFrame(rows, columns=list(COLUMNS)), reasons


def _jumps(numbers: dict[str, float], settings: QualitySettings) -> list[str]:
    """Say what neither biology nor another scanner explains."""
    found = []
    if numbers["detail_correlation"] > settings.max_detail_correlation:
        found.append("the same image under another name")
    if abs(numbers["scale"] - 1) > settings.max_scale_change:
        found.append(
            f"the brain is {numbers['scale']:.3f} times as large: the voxel size of one is wrong"
        )
    if abs(numbers["mask_volume_ratio"] - 1) > settings.max_mask_change:
        found.append(
            f"the brain mask has {numbers['mask_volume_ratio']:.3f} times the volume: look at both"
        )
    return found


def _moved(
    places: pd.DataFrame,
    label: Any,
    other: str,
    numbers: dict[str, float],
    settings: QualitySettings,
) -> list[str]:
    """Say what speaks for another scanner or sequence than that of an earlier visit."""
    found = []
    if abs(np.log(numbers["contrast_ratio"])) > np.log1p(settings.max_contrast_change):
        found.append(
            f"another contrast ({numbers['contrast_ratio']:.2f} times): another scanner or sequence"
        )
    if abs(np.log(numbers["voxel_volume_ratio"])) > SAME_VOXELS:
        found.append(f"voxels of {numbers['voxel_volume_ratio']:.2f} times the volume")
    mine = places.loc[label]
    person = (places["dataset"] == mine["dataset"]) & (places["subject"] == mine["subject"])
    theirs = places[person & (places["scan"] == other)].iloc[0]
    return found + [
        f"{column} {mine[column]}, was {theirs[column]}"
        for column in places.columns.drop(["dataset", "subject", "scan"])
        if pd.notna(mine[column]) and pd.notna(theirs[column]) and mine[column] != theirs[column]
    ]


def _scanners(scans: pd.DataFrame) -> pd.DataFrame:
    """Columns of the table that name a scanner, with the scan's subject and name."""
    names = [column for column in scans if str(column).lower() in SCANNER_COLUMNS]
    return scans[["dataset", "subject", "scan", *names]]
