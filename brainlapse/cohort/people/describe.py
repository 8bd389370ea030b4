"""Columns of scans.tsv that the tables of a data set give for one scan."""

from brainlapse.cohort.columns import (
    AGE_NAMES,
    DIAGNOSIS_COLUMNS,
    RESERVED_COLUMNS,
    SESSION_COLUMNS,
    SEX_COLUMNS,
    SPLIT_COLUMN,
    STATED,
    SUBJECT_COLUMNS,
    plain_name,
)
from brainlapse.cohort.folders.bids import Listing, Session
from brainlapse.cohort.notes import join_notes
from brainlapse.cohort.people.ages import scan_age
from brainlapse.cohort.people.demographics import PARTICIPANTS, Demographics
from brainlapse.cohort.people.rows import Row, find_value
from brainlapse.cohort.people.times import Times
from brainlapse.cohort.settings import CohortSettings

SEXES = {"m": "M", "male": "M", "man": "M", "f": "F", "female": "F", "woman": "F"}
OTHER_SEXES = {"o", "other", "x"}
TAKEN = frozenset((*SUBJECT_COLUMNS, *SESSION_COLUMNS, *AGE_NAMES, SPLIT_COLUMN))
OURS = frozenset(("sex", "diagnosis"))  # under these names the user's column is ours


def describe_sessions(
    found: Demographics, listing: Listing, settings: CohortSettings
) -> dict[Session, dict]:
    """Give what `describe_scan` gives, for each subject and session with a T1w file."""
    keys = dict.fromkeys((scan.subject, scan.session) for scan in listing.scans)
    return {key: describe_scan(found, *key, settings) for key in keys}


def describe_scan(
    found: Demographics, subject: str, session: str | None, settings: CohortSettings
) -> dict:
    """Columns of scans.tsv that the tables give: age_years, sex, diagnosis, note, further ones."""
    times = found.session_times.get(subject, {session: Times()})
    participant = found.participant_times.get(subject, Times())
    of_session = found.sessions.get(subject, {}).get(session, {})
    row = {**found.participants.get(subject, {}), **of_session}
    age_years, age_note = scan_age(participant, times, session, settings, found.repeats_baseline)
    sex, sex_note = normalise_sex(find_value(row, SEX_COLUMNS), found.sex_levels)
    notes = _absent(found, subject), *found.notes.get(subject, []), age_note, sex_note
    return {
        "age_years": age_years,
        "sex": sex,
        "diagnosis": find_value(row, DIAGNOSIS_COLUMNS),
        "note": join_notes(*notes),
        **further_columns(row),
    }


def _absent(found: Demographics, subject: str) -> str | None:
    if not found.has_participants:
        return f"{PARTICIPANTS} is missing"
    return None if subject in found.participants else f"{subject} is not in {PARTICIPANTS}"


def normalise_sex(text: str | None, levels: dict[str, str]) -> tuple[str | None, str]:
    """Write sex as M or F; None with a note where the word is not understood.

    Numbers are never guessed (1 and 2, or 0 and 1, are used both ways round): they need `Levels`
    in participants.json, given here as {code: meaning}.
    """
    if text is None:
        return None, ""
    word = levels.get(text.lower(), text).strip().lower()
    if word in SEXES:
        return SEXES[word], ""
    if word in OTHER_SEXES:
        return None, ""
    return None, f"sex '{text}' is not M or F; explain the code by Levels in participants.json"


def requested_splits(found: Demographics) -> dict[str, str]:
    """Values of the `split` column of participants.tsv, by subject."""
    values = {
        subject: find_value(row, [SPLIT_COLUMN]) for subject, row in found.participants.items()
    }
    return {subject: value for subject, value in values.items() if value is not None}


def further_columns(row: Row) -> Row:
    """Give the user's columns, under their own names but where these are ours."""
    further: Row = {}
    for column, value in row.items():
        if plain_name(column) in TAKEN or column.lower() in OURS:
            continue
        name = column
        while name in RESERVED_COLUMNS or name in further:
            name += STATED
        further[name] = value
    return further
