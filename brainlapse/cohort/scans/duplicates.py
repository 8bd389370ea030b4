"""Identical images under two names.

One image under two people: it is unknown whose it is, so all of its copies are rejected. Their
other scans stay but get a note, and they stand on one side of the split, since they may be one
person. One image twice under one person: the first data set and session keeps it.
"""

from collections import defaultdict

from brainlapse.cohort.notes import join_notes
from brainlapse.cohort.tables import REJECTED_COLUMNS


def reject_duplicates(rows: list[dict]) -> tuple[list[dict], list[dict], dict[str, str]]:
    """Separate scans whose image occurs more than once.

    Parameters
    ----------
    rows
        Rows of scans.tsv with dataset, subject, session, scan, person, path, sha256 and note.

    Returns
    -------
    kept, rejected, linked
        Rows that stay; rows of rejected.tsv (without stage); and, for each person who shared an
        image with another, the person who decides the split of all of them.
    """
    groups: dict[str, list[dict]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row["dataset"], row["subject"], row["session"] or "")):
        groups[row["sha256"]].append(row)
    kept, rejected, pairs = [], [], []
    for group in groups.values():
        people = list(dict.fromkeys(row["person"] for row in group))
        keep = 1 if len(people) == 1 else 0
        kept += group[:keep]
        rejected += [_rejection(row, group, len(people) > 1) for row in group[keep:]]
        pairs += [(people[0], other) for other in people[1:]]
    linked = _link(pairs)
    for row in kept:
        if row["person"] in linked:
            note = "another scan of this person is also another's, see rejected.tsv"
            row["note"] = join_notes(row["note"], note)
    return kept, rejected, linked


def _rejection(row: dict, group: list[dict], across_subjects: bool) -> dict:
    others = [f"{other['dataset']}/{other['scan']}" for other in group if other is not row]
    if across_subjects:
        found = f"the identical image under {', '.join(others)}"
        advice = "find out whose it is and remove the others; all copies are rejected"
    else:
        found = f"the image of {others[0]} once more"
        advice = "replace it by the right scan or remove it"
    reason = f"{row['path']}: expected a scan of its own, found {found}; {advice}"
    identity = {column: row[column] for column in REJECTED_COLUMNS if column in row}
    return {**identity, "reason": reason}


def _link(pairs: list[tuple[str, str]]) -> dict[str, str]:
    leaders: dict[str, str] = {}

    def leader(person: str) -> str:
        while leaders.get(person, person) != person:
            person = leaders[person]
        return person

    for pair in pairs:
        first, second = sorted(leader(person) for person in pair)
        leaders[second] = leaders[first] = first
    return {person: leader(person) for person in leaders}
