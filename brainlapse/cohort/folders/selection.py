"""Pick one T1w scan per subject and session; say why the others were not picked.

The rule, in this order; the first difference decides:

1. phase, real and imaginary images (`part-phase|real|imag`) are never picked;
2. without contrast agent (`ce`) before with;
3. the plain reconstruction before a named one (`rec`);
4. the plain acquisition before a named one (`acq`), named ones in alphabetical order;
5. the lower `echo`, then the lower `run` (none counts as lowest);
6. fewer further entities, then the alphabetical order of the file names (`.nii` first).

If the picked file turns out to be unreadable, the next one of the session takes its place.
"""

from collections import defaultdict

from brainlapse.cohort.folders.bids import Session
from brainlapse.cohort.folders.names import RawScan

NOT_MAGNITUDE = ("phase", "real", "imag")


def group_sessions(scans: list[RawScan]) -> dict[Session, list[RawScan]]:
    """Candidates of each (subject, session), best first; unusable names and parts are left out."""
    sessions: dict[Session, list[RawScan]] = defaultdict(list)
    for scan in scans:
        if scan.problem is None and is_magnitude(scan):
            sessions[scan.subject, scan.session].append(scan)
    return {key: sorted(group, key=rank) for key, group in sessions.items()}


def is_magnitude(scan: RawScan) -> bool:
    """Whether the file is an ordinary image and no phase, real or imaginary part."""
    return scan.entities.get("part") not in NOT_MAGNITUDE


def rank(scan: RawScan) -> tuple:
    """Sort key of the rule above: the smallest is picked."""
    entities = scan.entities
    return (
        entities.get("ce", ""),
        entities.get("rec", ""),
        entities.get("acq", ""),
        _index(entities.get("echo")),
        _index(entities.get("run")),
        len(entities),
        scan.name,
    )


def reason_not_picked(scan: RawScan, picked: RawScan | None) -> str:
    """One sentence: why `scan` stands aside for `picked`."""
    if not is_magnitude(scan):
        return f"part-{scan.entities['part']} is no magnitude image"
    if picked is None:
        return "no scan of the session could be used"
    other = picked.name
    if scan.entities == picked.entities:
        return f"{other} is the same scan in another file format"
    for entity, why in (
        ("ce", "no or another contrast agent"),
        ("rec", "the plain reconstruction, or the first by name"),
        ("acq", "the plain acquisition, or the first by name"),
        ("echo", "the lower echo"),
        ("run", "the lower run"),
    ):
        if scan.entities.get(entity) != picked.entities.get(entity):
            return f"{other} was picked: {why}"
    return f"{other} was picked: fewer further entities, or the first by name"


def _index(label: str | None) -> tuple[int, str]:
    if label is None:
        return (-1, "")
    return (int(label), "") if label.isdigit() else (10**9, label)
