"""What the page of quality shows of visits that were held against an earlier one."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from brainlapse.figures import style

Key = tuple[str, str]  # dataset, scan
WORDS = ("dataset", "subject", "session", "scan", "compared_with", "joined", "findings")


def numbers_of(visits: pd.DataFrame) -> list[str]:
    """Return the columns of ``visits.tsv`` that hold numbers of pairs."""
    return [name for name in visits.columns if name not in WORDS and visits[name].notna().any()]


def collect(visits: pd.DataFrame, positions: Mapping[Key, int]) -> dict[str, Any]:
    """Return what the page's script reads.

    Parameters
    ----------
    visits
        ``preprocess/visits.tsv``.
    positions
        Where the page lists each scan.

    Returns
    -------
    dict
        columns (names in words of the numbers), and pairs: per pair the positions of the visit and
        of the earlier one, whether the visit joined it, what stands out (empty where nothing
        does), and the numbers, None where missing.
    """
    names = numbers_of(visits)
    plain = visits.astype(object).where(visits.notna(), None)
    pairs = []
    for row in plain.to_dict("records"):
        ends = [positions.get((row["dataset"], row[end])) for end in ("scan", "compared_with")]
        if None not in ends:
            found = [bool(row["joined"]), row["findings"] or ""]
            pairs.append([*ends, *found, *(row[name] for name in names)])
    return {"columns": [style.quantity(name) for name in names], "pairs": pairs}


def standing_out(visits: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs of visits with something to say about them."""
    found = visits.dropna(subset=["findings"])
    numbers = [name for name in ("correlation", "moved_mm", "contrast_ratio") if name in found]
    return found[["dataset", "scan", "compared_with", "findings", *numbers]]
