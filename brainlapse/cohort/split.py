"""Which side a person stands on: decided by a hash, so that new subjects move nobody.

A person is a subject label within `datasets.<name>.people`, which is the data set itself where
nothing is said: equal labels in two data sets are two people, unless both name the same people.
Split, folds and the search for leaks go by the person.
"""

import hashlib

import pandas as pd

from brainlapse.cohort.errors import CohortError, LeakageError
from brainlapse.cohort.notes import join_notes
from brainlapse.cohort.settings import CohortSettings

SPLITS = ("train", "validation", "test")
APPLY = "apply"
FIT = "fit"


def split_subject(seed: int, subject: str, settings: CohortSettings) -> str:
    """Side of one subject: train, validation or test.

    The SHA-256 of seed and subject is read as a uniform number. It depends on nothing else, not
    even the data set, so one person in two data sets stands on one side.
    """
    digest = hashlib.sha256(f"{seed}:{subject}".encode()).digest()
    uniform = int.from_bytes(digest[:8], "big") / 2**64
    if uniform < settings.test_fraction:
        return "test"
    if uniform < settings.test_fraction + settings.validation_fraction:
        return "validation"
    return "train"


def check_requested(dataset: str, requested: dict[str, str]) -> dict[str, str]:
    """Check the `split` column of participants.tsv; gives it back in lower case.

    Raises
    ------
    CohortError
        A value is not one of train, validation and test.
    """
    lower = {subject: value.lower() for subject, value in requested.items()}
    wrong = {subject: requested[subject] for subject in lower if lower[subject] not in SPLITS}
    if wrong:
        shown = ", ".join(f"{subject}: {value}" for subject, value in sorted(wrong.items())[:5])
        message = (
            f"{dataset}: column split of participants.tsv must hold {', '.join(SPLITS)} or n/a, "
            f"found {shown}; correct these {len(wrong)} rows"
        )
        raise CohortError(message)
    return lower


def assign_sides(
    rows: list[dict],
    requested: dict[str, dict[str, str]],
    linked: dict[str, str],
    settings: CohortSettings,
    seed: int,
) -> None:
    """Fill in the column split of scans: one side for all scans of a person.

    People who share an image become one `person`, so that no later stage parts them either.

    Parameters
    ----------
    rows
        Rows of scans.tsv with dataset, subject, person, role and note.
    requested
        Sides that the tables of each data set ask for, by subject.
    linked
        People who may be one, since they share an image: person to the one that decides.

    Raises
    ------
    CohortError
        Different sides are asked for scans of one person.
    """
    wanted: dict[str, dict[str, str]] = {}  # who decides -> side -> a data set and subject
    for row in rows:
        side = requested.get(row["dataset"], {}).get(row["subject"])
        if side and row["role"] == FIT:
            leader = linked.get(row["person"], row["person"])
            wanted.setdefault(leader, {})[side] = f"{row['dataset']}/{row['subject']}"
    for sides in wanted.values():
        if len(sides) > 1:
            shown = ", ".join(f"{subject}: {side}" for side, subject in sides.items())
            message = (
                f"column split of participants.tsv asks for two sides of one person ({shown}); "
                "they share a name under datasets.<name>.people, or an image; give them one side"
            )
            raise CohortError(message)
    for row in rows:
        leader = row["person"] = linked.get(row["person"], row["person"])
        side = next(iter(wanted.get(leader, {})), None)
        side = side or split_subject(seed, leader.rpartition("/")[2], settings)
        row["split"] = side if row["role"] == FIT else APPLY
    note_people_on_both_sides(rows)


def note_people_on_both_sides(rows: list[dict]) -> None:
    """Note at scans of role apply that their person stands in a fit data set as well."""
    sides = {row["person"]: row["split"] for row in rows if row["role"] == FIT}
    for row in rows:
        side = sides.get(row["person"])
        if row["role"] != FIT and side is not None:
            note = f"the same person stands in {side} of the fit data"
            warning = "" if side == "test" else ", so results on this scan are not independent"
            row["note"] = join_notes(row["note"], note + warning)


def check_no_leakage(scans: pd.DataFrame) -> None:
    """Make sure that no person and no image stands on two sides.

    Parameters
    ----------
    scans
        Rows of scans.tsv: dataset, scan, person, role, split, sha256.

    Raises
    ------
    LeakageError
        Names the subjects or scans that would leak.
    """
    for person, group in scans[scans["role"] == FIT].groupby("person"):
        found = sorted(set(group["split"]))
        if len(found) > 1:
            message = f"{person} stands in {' and '.join(found)}; a person has one side"
            raise LeakageError(message)
    for sha256, group in scans.groupby("sha256"):
        found = sorted(set(group["split"]))
        if len(found) > 1:
            names = ", ".join(group["dataset"] + "/" + group["scan"])
            message = (
                f"{names} are one image (sha256 {sha256}) but stand in {' and '.join(found)}; "
                "remove all but one"
            )
            raise LeakageError(message)


def check_sides(scans: pd.DataFrame) -> None:
    """Make sure that the data sets of role fit have subjects to train and to validate on.

    Raises
    ------
    CohortError
        One of the two is empty; the message says what to do.
    """
    fit = scans[scans["role"] == FIT]
    if fit.empty:
        return
    counts = {side: fit[fit["split"] == side].groupby("person").ngroups for side in SPLITS}
    empty = [side for side in ("train", "validation") if not counts[side]]
    if empty:
        shown = ", ".join(f"{side} {count}" for side, count in counts.items())
        message = (
            f"no subjects in {' and '.join(empty)}: the split of the fit data gave {shown}; "
            "change seed, cohort.validation_fraction or cohort.test_fraction, "
            "or name the sides in a column split of participants.tsv"
        )
        raise CohortError(message)
