"""Which scans are pictured, and in which order: worst first.

No matplotlib here: the workflow asks this module for the inputs of the picture job.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

RANK = {"rejected": 0, "flagged": 1, "accepted": 2}


def pictured(rows: Iterable[Mapping[str, Any]], max_pictures: int) -> list[Mapping[str, Any]]:
    """Return the rows of ``qc.tsv`` to picture: rejected, flagged, then accepted ones.

    Among equals the scan comes first that stands apart most from its data set.

    Parameters
    ----------
    rows
        Rows with ``status``, ``dataset``, ``scan`` and, where it is known, ``largest_z``.
    max_pictures
        The list is cut there.
    """
    ranked = sorted(
        rows,
        key=lambda row: (
            RANK.get(str(row.get("status")), 1),
            -_deviation(row.get("largest_z")),
            str(row.get("dataset")),
            str(row.get("scan")),
        ),
    )
    return ranked[:max_pictures]


def paired_scans(visits: pd.DataFrame) -> set[tuple[str, str]]:
    """Return dataset and scan of each end of the pairs of ``visits.tsv``."""
    pairs = visits.dropna(subset=["scan", "compared_with"])
    ends = (zip(pairs["dataset"], pairs[end], strict=True) for end in ("scan", "compared_with"))
    return {key for keys in ends for key in keys}


def _deviation(value: float | None) -> float:
    """Return a z-score, 0 where it is missing."""
    return 0.0 if value is None or math.isnan(value) else float(value)
