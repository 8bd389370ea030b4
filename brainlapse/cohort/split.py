"""Which side a subject stands on: decided by a hash, so that new subjects move nobody."""

import hashlib

import pandas as pd

from brainlapse.cohort.errors import CohortError, LeakageError
from brainlapse.cohort.settings import CohortSettings

SPLITS = ("train", "validation", "test")
APPLY = "apply"


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


def check_no_leakage(scans: pd.DataFrame) -> None:
    """Make sure that no subject and no image stands on two sides.

    Parameters
    ----------
    scans
        Rows of scans.tsv: dataset, subject, split, sha256.

    Raises
    ------
    LeakageError
        Names the subjects or scans that would leak.
    """
    for key, group in scans.groupby(["dataset", "subject"]):
        found = sorted(set(group["split"]))
        if len(found) > 1:
            subject = "/".join(map(str, key))
            message = f"{subject} stands in {' and '.join(found)}; a subject has one side"
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
    fit = scans[scans["role"] == "fit"]
    if fit.empty:
        return
    counts = {
        side: fit[fit["split"] == side].groupby(["dataset", "subject"]).ngroups for side in SPLITS
    }
    empty = [side for side in ("train", "validation") if not counts[side]]
    if empty:
        shown = ", ".join(f"{side} {count}" for side, count in counts.items())
        message = (
            f"no subjects in {' and '.join(empty)}: the split of the fit data gave {shown}; "
            "change seed, cohort.validation_fraction or cohort.test_fraction, "
            "or name the sides in a column split of participants.tsv"
        )
        raise CohortError(message)
