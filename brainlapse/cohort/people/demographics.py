"""What the tables of a data set say about each of its scans.

participants.tsv, the root sessions.tsv, sub-*_sessions.tsv and the dates of *_scans.tsv are joined
per subject and session, the more specific table first. Nothing that is missing or wrong there stops
the cohort: the value stays n/a and the scan carries a note; what concerns a whole table is in
`problems`.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from brainlapse.cohort.columns import SEX_COLUMNS, SUBJECT_COLUMNS
from brainlapse.cohort.folders.bids import Listing, Session
from brainlapse.cohort.people.ages import grows, repeated
from brainlapse.cohort.people.rows import (
    Row,
    agreed,
    find_column,
    find_label,
    find_value,
    label,
)
from brainlapse.cohort.people.tables import Table, read_sidecar, read_table
from brainlapse.cohort.people.times import Times, column_units, parse_date, read_times
from brainlapse.nifti.files import shown

PARTICIPANTS = "participants.tsv"


@dataclass
class Demographics:
    """Tables of one data set, by subject and session."""

    participants: dict[str, Row] = field(default_factory=dict)
    sessions: dict[str, dict[str | None, Row]] = field(default_factory=dict)
    participant_times: dict[str, Times] = field(default_factory=dict)
    session_times: dict[str, dict[str | None, Times]] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)  # subject -> sentences
    problems: list[str] = field(default_factory=list)  # of whole tables
    sex_levels: dict[str, str] = field(default_factory=dict)
    has_participants: bool = False
    repeats_baseline: bool = False  # the age on every visit's row is that at baseline

    def add_session(self, subject: str, session: str | None, row: Row, times: Times) -> None:
        """Add what a table says about one session; it goes before what is known already."""
        known = self.sessions.setdefault(subject, {})
        known[session] = {**known.get(session, {}), **row}
        known_times = self.session_times.setdefault(subject, {})
        known_times[session] = times.over(known_times.get(session, Times()))

    def add_note(self, subject: str, note: str) -> None:
        """Add a sentence to every scan of a subject."""
        self.notes.setdefault(subject, []).append(note)


def read_demographics(listing: Listing) -> Demographics:
    """Read all tables of a data set.

    Raises
    ------
    OSError
        The machine is at fault, not a table.
    """
    paths = {path.rpartition("/")[2]: path for path in listing.dataset_tables}
    found = Demographics(has_participants=PARTICIPANTS in paths)
    units: dict[str, dict[str, str]] = {}
    for name in ("sessions.json", "participants.json"):
        sidecar = read_sidecar(paths[name]) if name in paths else {}
        units[name] = column_units(sidecar)
        found.sex_levels.update(_sex_levels(sidecar))
    if found.has_participants:
        _add_participants(found, read_table(paths[PARTICIPANTS]), units["participants.json"])
    else:
        there = f", found {', '.join(map(shown, listing.odd_tables))}" if listing.odd_tables else ""
        found.problems.append(f"{shown(listing.folder)}: participants.tsv is missing{there}")
    if "sessions.tsv" in paths:
        table = read_table(paths["sessions.tsv"])
        _note_faults(found, table)
        _add_sessions(found, table, units["sessions.json"], None)
    for subject, path in listing.subject_tables.items():
        table = read_table(path)
        for sentence in [*([table.problem] if table.problem else []), *dict(table.faults).values()]:
            found.add_note(subject, sentence)
        _add_sessions(found, table, units["sessions.json"], subject)
    _adopt_only_sessions(found, listing)
    _add_dates(found, listing)
    for scan in listing.scans:
        found.add_session(scan.subject, scan.session, {}, Times())
    by_subject = found.session_times.values()
    found.repeats_baseline = any(map(repeated, by_subject)) and not any(map(grows, by_subject))
    return found


def _add_participants(found: Demographics, table: Table, units: dict[str, str]) -> None:
    _note_faults(found, table)
    if table.rows and find_column(table.columns, SUBJECT_COLUMNS) is None:
        found.problems.append(
            f"{shown(table.path)}: expected a column participant_id, separated by tabs, found "
            f"{', '.join(table.columns[:5])}; name the column of the subjects so"
        )
    grouped: dict[str, list[Row]] = {}
    for row in table.rows:
        subject = find_label(row, "sub-")
        if subject:
            grouped.setdefault(subject, []).append(row)
    for subject, group in grouped.items():
        found.participants[subject], differing = agreed(group)
        found.participant_times[subject] = read_times(found.participants[subject], units)
        by_session = [row for row in group if find_label(row, "ses-")]
        for row in by_session:
            found.add_session(subject, find_label(row, "ses-"), row, read_times(row, units))
        if differing and not by_session:
            lists = f"participants.tsv lists {subject} {len(group)} times with different "
            found.add_note(subject, lists + ", ".join(differing))


def _add_sessions(
    found: Demographics, table: Table, units: dict[str, str], subject: str | None
) -> None:
    for row in table.rows:
        named, session = subject or find_label(row, "sub-"), find_label(row, "ses-")
        if named and session:
            found.add_session(named, session, row, read_times(row, units))


def _adopt_only_sessions(found: Demographics, listing: Listing) -> None:
    """Where folders know no sessions and the tables one per subject, it is the scan's."""
    with_sessions = {scan.subject for scan in listing.scans if scan.session is not None}
    for subject in {scan.subject for scan in listing.scans} - with_sessions:
        if len(found.sessions.get(subject, {})) == 1:
            found.sessions[subject] = {None: next(iter(found.sessions[subject].values()))}
            times = next(iter(found.session_times[subject].values()))
            found.session_times[subject] = {None: times}


def _note_faults(found: Demographics, table: Table) -> None:
    """Note a whole table's problem, and what is wrong with single lines, at their subjects."""
    if table.problem:
        found.problems.append(table.problem)
    elif not table.rows:
        cause = f": {table.faults[0][1]}" if table.faults else ""
        found.problems.append(f"{shown(table.path)}: expected rows, found none{cause}")
    for cell, sentence in table.faults:
        found.add_note(label(cell, "sub-"), sentence)


def _add_dates(found: Demographics, listing: Listing) -> None:
    """Take the dates of sessions that have none from `acq_time` in their *_scans.tsv."""
    names: dict[Session, set[str]] = defaultdict(set)
    for scan in listing.scans:
        names[scan.subject, scan.session].add(scan.name)
    for (subject, session), path in listing.scans_tables.items():
        known = found.session_times.get(subject, {}).get(session, Times())
        if known.date is None:
            times = _first_date(read_table(path), names[subject, session])
            found.add_session(subject, session, {}, times)


def _first_date(table: Table, names: set[str]) -> Times:
    """Date of the T1w scans among the rows, else of all; the earliest."""
    dated = [row for row in table.rows if find_value(row, ["acq_time"])]
    own = [r for r in dated if (find_value(r, ["filename"]) or "").rpartition("/")[2] in names]
    dates, faults = [], []
    for row in own or dated:
        text = str(find_value(row, ["acq_time"]))
        try:
            dates.append(parse_date(text))
        except ValueError:
            faults.append(f"acq_time '{text}' is no ISO 8601 date such as 2021-03-31T10:00:00")
    return Times(date=min(dates, default=None), notes=() if dates else tuple(faults[:1]))


def _sex_levels(sidecar: dict) -> dict[str, str]:
    levels: dict = {}
    for column, description in sidecar.items():
        if column.lower() in SEX_COLUMNS and isinstance(description, dict):
            stated = description.get("Levels")
            levels = stated if isinstance(stated, dict) else {}
    return {str(code).lower(): text for code, text in levels.items() if isinstance(text, str)}
