"""Tables of OASIS-3: age at entry per person, sessions named by days since entry (ses-d0129)."""

import re
from pathlib import Path

import pandas as pd

from brainlapse.importers.folders import Labels, digits, name_subjects
from brainlapse.importers.reading import ImportFailed, coded, numbers, read_source
from brainlapse.importers.writing import SEX_MEANING, Imported, agreeing

DAYS_PER_YEAR = 365.25
DAYS = re.compile(r"d(\d{4,})")
MEANINGS: dict[str, dict] = {
    "age": {"Description": "age at entry plus the days of the session's label", "Units": "years"},
    "age_at_entry": {"Description": "age at entry", "Units": "years"},
    "days_since_baseline": {"Description": "days since entry", "Units": "days"},
    "sex": SEX_MEANING,
    "diagnosis": {"Description": "first diagnosis of the nearest clinical visit"},
    "cdr": {"Description": "clinical dementia rating of the nearest clinical visit"},
    "mmse": {"Description": "mini mental state examination of the nearest clinical visit"},
    "days_to_clinical": {"Description": "clinical visit after the scan", "Units": "days"},
}
CLINICAL = {"dx1": "diagnosis", "CDRTOT": "cdr", "MMSE": "mmse"}


def read_oasis3(
    path: str | Path,
    labels: Labels,
    clinical: str | Path | None = None,
    max_days_to_clinical: int = 365,
) -> Imported:
    """Read the demographics, for the sessions of a BIDS folder, and clinical visits near them.

    Raises
    ------
    ImportFailed
        A file is another table, or no folder says which sessions there are.
    """
    if not labels.known:
        message = "OASIS-3: give --bids, the folder whose ses-dNNNN the ages are for"
        raise ImportFailed(message)
    table = read_source(path, ("OASISID", "AgeatEntry", "GENDER"))
    people = pd.DataFrame(
        {
            "participant_id": _subjects(table["OASISID"], labels),
            "age_at_entry": numbers(table["AgeatEntry"]),
            "sex": coded(table["GENDER"], {"1": "M", "2": "F", "m": "M", "f": "F"}),
        }
    ).dropna(subset=["participant_id"])
    participants, notes = agreeing(people, "participant_id")
    entry = participants.set_index("participant_id")["age_at_entry"]
    rows = [
        {"participant_id": subject, "session_id": session, "days_since_baseline": int(match[1])}
        for subject, sessions in labels.sessions.items()
        for session in sessions
        if (match := DAYS.search(session))
    ]
    if not rows:
        message = "OASIS-3: expected sessions such as ses-d0129, found none in the folder"
        raise ImportFailed(message)
    sessions = pd.DataFrame(rows)
    sessions["age"] = sessions["participant_id"].map(entry) + (
        sessions["days_since_baseline"] / DAYS_PER_YEAR
    )
    if clinical is not None:
        visits = _visits(clinical, labels)
        sessions = join_nearest(sessions, visits, max_days_to_clinical)
    return Imported(participants, sessions, MEANINGS, tuple(notes))


def _subjects(identifiers: pd.Series, labels: Labels) -> pd.Series:
    return name_subjects(identifiers, labels, digits(r"OAS3?0*(\d+)"), "sub-OAS3{:0>4}")


def _visits(path: str | Path, labels: Labels) -> pd.DataFrame:
    table = read_source(path, ("OASISID", "days_to_visit", *CLINICAL))
    visits = table[list(CLINICAL)].rename(columns=CLINICAL)
    return visits.assign(
        participant_id=_subjects(table["OASISID"], labels), day=numbers(table["days_to_visit"])
    ).dropna(subset=["participant_id", "day"])


def join_nearest(sessions: pd.DataFrame, visits: pd.DataFrame, max_days: int) -> pd.DataFrame:
    """Add to each session what the nearest visit of its person found, at most `max_days` away.

    Parameters
    ----------
    sessions
        participant_id, days_since_baseline and further columns.
    visits
        participant_id, day and what was found.
    """
    left = sessions.assign(day=sessions["days_since_baseline"].astype(float)).sort_values("day")
    right = visits.assign(visit_day=visits["day"]).astype({"day": float}).sort_values("day")
    joined = pd.merge_asof(
        left, right, on="day", by="participant_id", direction="nearest", tolerance=max_days
    )
    joined["days_to_clinical"] = joined.pop("visit_day") - joined["day"]
    joined = joined.drop(columns="day")
    return joined.sort_values(["participant_id", "days_since_baseline"], ignore_index=True)
