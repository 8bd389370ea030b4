"""Identical images under two names.

One image under two subjects: it is unknown whose it is, so all of its copies are rejected. The
other scans of these subjects stay but get a note, and the subjects stand on one side of the split,
since they may be one person. One image twice under one subject: the first session keeps it.
"""

from collections import defaultdict

from brainlapse.cohort.notes import join_notes
from brainlapse.cohort.tables import REJECTED_COLUMNS

Subject = tuple[str, str]  # data set, subject


def reject_duplicates(rows: list[dict]) -> tuple[list[dict], list[dict], dict[Subject, Subject]]:
    """Separate scans whose image occurs more than once.

    Parameters
    ----------
    rows
        Rows of scans.tsv with dataset, subject, session, scan, path, sha256 and note.

    Returns
    -------
    kept, rejected, linked
        Rows that stay; rows of rejected.tsv (without stage); and, for each subject that shared an
        image with another, the subject that decides the split of all of them.
    """
    groups: dict[str, list[dict]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row["dataset"], row["subject"], row["session"] or "")):
        groups[row["sha256"]].append(row)
    kept, rejected, pairs = [], [], []
    for group in groups.values():
        subjects = list(dict.fromkeys(_subject(row) for row in group))
        keep = 1 if len(subjects) == 1 else 0
        kept += group[:keep]
        rejected += [_rejection(row, group, len(subjects) > 1) for row in group[keep:]]
        pairs += [(subjects[0], other) for other in subjects[1:]]
    linked = _link(pairs)
    for row in kept:
        if _subject(row) in linked:
            note = "another scan of this subject is also another subject's, see rejected.tsv"
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


def _link(pairs: list[tuple[Subject, Subject]]) -> dict[Subject, Subject]:
    leaders: dict[Subject, Subject] = {}

    def leader(subject: Subject) -> Subject:
        while leaders.get(subject, subject) != subject:
            subject = leaders[subject]
        return subject

    for pair in pairs:
        first, second = sorted(leader(subject) for subject in pair)
        leaders[second] = leaders[first] = first
    return {subject: leader(subject) for subject in leaders}


def _subject(row: dict) -> Subject:
    return row["dataset"], row["subject"]
