"""The visits of each person, in order of time."""

import re
from collections.abc import Collection

import pandas as pd

from brainlapse.cohort.tables import has_session


def paths_before(
    scans: pd.DataFrame, excluded: Collection[tuple[str, str]] = ()
) -> dict[str, list[str]]:
    """Return the visits before each visit of the same person, in order of time.

    Parameters
    ----------
    scans
        ``cohort/scans.tsv`` with the column scan_path.
    excluded
        Dataset and scan of visits that come before nobody.

    Returns
    -------
    dict
        Scan paths by scan path; no entry for a visit with none before it.
    """
    table: dict[str, list[str]] = {}
    for _, person in scans.groupby(["dataset", "subject"], sort=False):
        ordered = person.loc[visit_order(person)]
        keys = zip(ordered["dataset"], ordered["scan"], strict=True)
        before: list[str] = []
        for path, key in zip(map(str, ordered["scan_path"]), keys, strict=True):
            if before:
                table[path] = list(before)
            if key not in excluded:
                before.append(path)
    return table


def visit_order(person: pd.DataFrame) -> list[int]:
    """Order one person's visits: by age if all are known, else by the names of the sessions.

    Numbers in names count as numbers: m6 comes before m12.

    Returns
    -------
    list of int
        Labels of the table's index.
    """
    aged = bool(person["age_years"].notna().all())
    keys = {
        label: (age if aged else 0.0, _natural(session))
        for label, age, session in zip(
            person.index, person["age_years"], person["session"], strict=True
        )
    }
    return sorted(keys, key=lambda label: keys[label])


def _natural(session: str | float | None) -> list[tuple[float, str]]:
    """Split a name into words and numbers, so that it sorts as a person would."""
    parts = re.split(r"(\d+)", str(session)) if has_session(session) else []
    return [(float(part), "") if part.isdigit() else (-1.0, part) for part in parts]
