"""What the tables of a data set say about each of its scans.

participants.tsv, the root sessions.tsv and sub-*_sessions.tsv are joined per subject and session,
the more specific table first. Nothing that is missing or wrong there stops the cohort: the value
stays n/a and the scan carries a note.
"""

from dataclasses import dataclass, field

from brainlapse.cohort.folders.bids import Listing
from brainlapse.cohort.notes import join_notes
from brainlapse.cohort.people import ages
from brainlapse.cohort.people.rows import (
    SESSION_COLUMNS,
    SUBJECT_COLUMNS,
    Row,
    agreed,
    find_column,
    find_label,
    find_value,
    read_rows,
    read_sidecar,
)
from brainlapse.cohort.settings import CohortSettings
from brainlapse.cohort.tables import SCAN_COLUMNS

SEX_COLUMNS = ("sex", "gender")
SEXES = {"m": "M", "male": "M", "man": "M", "f": "F", "female": "F", "woman": "F"}
OTHER_SEXES = {"o", "other", "x"}
DIAGNOSIS_COLUMNS = ("diagnosis", "dx", "group", "diagnostic_group")
SPLIT_COLUMN = "split"


@dataclass
class Demographics:
    """Tables of one data set, by subject and session."""

    participants: dict[str, Row] = field(default_factory=dict)
    sessions: dict[str, dict[str | None, Row]] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)  # subject -> sentences
    units: dict[str, str] = field(default_factory=dict)
    sex_levels: dict[str, str] = field(default_factory=dict)
    has_participants: bool = False

    def add_session(self, subject: str, session: str | None, row: Row) -> None:
        """Add what a table says about one session; it goes before what is known already."""
        known = self.sessions.setdefault(subject, {})
        known[session] = {**known.get(session, {}), **row}


def read_demographics(listing: Listing) -> Demographics:
    """Read all tables of a data set."""
    tables = {path.rpartition("/")[2]: path for path in listing.dataset_tables}
    found = Demographics(has_participants="participants.tsv" in tables)
    for name in ("sessions.json", "participants.json"):
        if name in tables:
            sidecar = read_sidecar(tables[name])
            found.units.update(ages.column_units(sidecar))
            found.sex_levels.update(_sex_levels(sidecar))
    if found.has_participants:
        _add_participants(found, read_rows(tables["participants.tsv"]))
    if "sessions.tsv" in tables:
        for row in read_rows(tables["sessions.tsv"]):
            subject, session = find_label(row, "sub-"), find_label(row, "ses-")
            if subject and session:
                found.add_session(subject, session, row)
    for subject, path in listing.subject_tables.items():
        for row in read_rows(path):
            session = find_label(row, "ses-")
            if session:
                found.add_session(subject, session, row)
    for scan in listing.scans:
        found.add_session(scan.subject, scan.session, {})
    return found


def _add_participants(found: Demographics, rows: list[Row]) -> None:
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        subject = find_label(row, "sub-")
        if subject:
            grouped.setdefault(subject, []).append(row)
    for subject, group in grouped.items():
        found.participants[subject], differing = agreed(group)
        by_session = [row for row in group if find_label(row, "ses-")]
        for row in by_session:
            found.add_session(subject, find_label(row, "ses-"), row)
        if differing and not by_session:
            note = f"participants.tsv lists {subject} {len(group)} times with different "
            found.notes.setdefault(subject, []).append(note + ", ".join(differing))


def _sex_levels(sidecar: dict) -> dict[str, str]:
    levels: dict = {}
    for column, description in sidecar.items():
        if column.lower() in SEX_COLUMNS and isinstance(description, dict):
            stated = description.get("Levels")
            levels = stated if isinstance(stated, dict) else {}
    return {str(code).lower(): text for code, text in levels.items() if isinstance(text, str)}


def describe_scan(
    found: Demographics, subject: str, session: str | None, settings: CohortSettings
) -> dict:
    """Columns of scans.tsv that the tables give: age_years, sex, diagnosis, note, further ones."""
    participant = found.participants.get(subject, {})
    sessions = found.sessions.get(subject, {session: {}})
    row = {**participant, **sessions.get(session, {})}
    notes = list(found.notes.get(subject, []))
    if not found.has_participants:
        notes.append("participants.tsv is missing")
    elif subject not in found.participants:
        notes.append(f"{subject} is not in participants.tsv")
    age_years, age_note = ages.scan_age(participant, sessions, session, settings, found.units)
    sex, sex_note = normalise_sex(find_value(row, SEX_COLUMNS), found.sex_levels)
    return {
        "age_years": age_years,
        "sex": sex,
        "diagnosis": find_value(row, DIAGNOSIS_COLUMNS),
        "note": join_notes(*notes, age_note, sex_note),
        **_further(row),
    }


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


def _further(row: Row) -> Row:
    used = {find_column(row, SEX_COLUMNS), find_column(row, DIAGNOSIS_COLUMNS)}
    left_out = {*SUBJECT_COLUMNS, *SESSION_COLUMNS, *ages.AGE_NAMES, SPLIT_COLUMN}
    return {
        f"{column}_stated" if column in SCAN_COLUMNS else column: value
        for column, value in row.items()
        if column not in used and column.lower() not in left_out
    }
