"""A person's decisions on scans, read from ``qc_review.tsv``."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

DECISIONS = ("keep", "exclude")
REQUIRED = ("dataset", "scan", "decision")

ScanKey = tuple[str, str]  # dataset, scan


class ReviewError(ValueError):
    """The table can't be obeyed; the message says file, line, expected, found and what to do."""


@dataclass(frozen=True)
class Decision:
    """What a person decided about one scan: keep or exclude, and why."""

    decision: str
    note: str


def read_review(path: str | Path, scans: pd.DataFrame) -> dict[ScanKey, Decision]:
    """Read a table with the columns dataset, scan, decision and, if wanted, note.

    Parameters
    ----------
    path
        Tab-separated; rows without a decision decide nothing.
    scans
        ``cohort/scans.tsv``.

    Returns
    -------
    dict
        Decision by (dataset, scan).

    Raises
    ------
    ReviewError
        If a column is missing, a decision or scan is unknown, or a scan is listed twice.
    """
    table = _read(path)
    known = set(zip(scans["dataset"], scans["scan"], strict=True))
    decisions: dict[ScanKey, Decision] = {}
    for line, row in enumerate(table.to_dict("records"), start=2):
        key, decision = (row["dataset"], row["scan"]), row["decision"].lower()
        if not decision:
            continue
        where = f"{path}, line {line}"
        if decision not in DECISIONS:
            message = f"{where}: expected the decision keep or exclude, found {row['decision']!r}"
            raise ReviewError(message)
        if key not in known:
            message = (
                f"{where}: expected a dataset and scan of cohort/scans.tsv, found "
                f"{key[0]!r}, {key[1]!r}; correct or remove the line"
            )
            raise ReviewError(message)
        if key in decisions:
            message = f"{where}: expected one decision per scan, found a second for {key[1]!r}"
            raise ReviewError(message)
        decisions[key] = Decision(decision, row.get("note", ""))
    return decisions


def _read(path: str | Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        message = f"{path}: expected a tab-separated table in UTF-8, found none ({error})"
        raise ReviewError(message) from error
    table.columns = table.columns.str.strip()
    missing = [name for name in REQUIRED if name not in table]
    if missing:
        message = (
            f"{path}: expected the columns {', '.join(REQUIRED)} (and note), separated by tabs, "
            f"found {', '.join(table.columns)}; {', '.join(missing)} missing"
        )
        raise ReviewError(message)
    return table.fillna("").apply(lambda column: column.str.strip())
