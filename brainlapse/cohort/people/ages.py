"""Age at each scan, from the columns that data sets use for it.

In order, the first that is given:

1. an age per session (sessions.tsv, sub-*_sessions.tsv, or participants.tsv with a session_id
   column), in a column of `AGE_COLUMNS`;
2. the age at baseline (a column of `BASELINE_COLUMNS`, else `AGE_COLUMNS` of participants.tsv)
   plus the time since baseline in a column of `ELAPSED_COLUMNS`;
3. the same plus the time between the session's date and the earliest of the subject's sessions, in
   a column of `DATE_COLUMNS` (ISO 8601; all sessions of the subject need one);
4. the age in participants.tsv, for a subject with one session.

One age for several sessions without times is ambiguous: such scans keep no age, with a note.
"""

import re
from datetime import datetime

from brainlapse.cohort.people.rows import Row, find_column, find_value
from brainlapse.cohort.settings import CohortSettings

YEAR = {"years": 1.0, "months": 1 / 12, "weeks": 7 / 365.25, "days": 1 / 365.25}
AGE_COLUMNS = {
    "age_years": "years",
    "age_at_scan": "years",
    "age_at_session": "years",
    "age_at_visit": "years",
    "age_at_acquisition": "years",
    "scan_age": "years",
    "session_age": "years",
    "age": "years",
    "age_months": "months",
    "age_days": "days",
}
BASELINE_COLUMNS = dict.fromkeys(
    ("baseline_age", "age_at_baseline", "age_baseline", "age_bl"), "years"
)
ELAPSED_COLUMNS = {
    "days_since_baseline": "days",
    "days_from_baseline": "days",
    "days": "days",
    "months_since_baseline": "months",
    "years_since_baseline": "years",
}
DATE_COLUMNS = ("acq_time", "acq_date", "acquisition_date", "scan_date", "session_date", "date")
AGE_NAMES = frozenset((*AGE_COLUMNS, *BASELINE_COLUMNS))
ADVICE = (
    f"give a column {', '.join(list(AGE_COLUMNS)[:2])} or age per session in sessions.tsv or "
    "sub-*_sessions.tsv, or days_since_baseline or acq_time beside a baseline age"
)

Age = tuple[float | None, str]  # age in years or None; note, empty if there is nothing to say


def scan_age(
    participant: Row,
    sessions: dict[str | None, Row],
    session: str | None,
    settings: CohortSettings,
    units: dict[str, str],
) -> Age:
    """Age at one scan.

    Parameters
    ----------
    participant
        The subject's row of participants.tsv (empty if there is none).
    sessions
        Rows of all sessions that the subject is known to have.
    session
        The session of the scan.
    units
        Units per column (lower case) where a JSON sidecar states them.

    Returns
    -------
    age_years, note
        Age in years, or None with the reason.
    """
    row = sessions.get(session, {})
    age, note = measured(row, AGE_COLUMNS, units)
    if age is None and not note:
        age, note = _age_from_baseline(participant, sessions, session, units)
    if age is not None and not settings.min_age_years <= age <= settings.max_age_years:
        low, high = settings.min_age_years, settings.max_age_years
        return None, f"age {age:g} is outside {low:g} to {high:g} years and was taken as missing"
    return (None, note or "age is missing") if age is None else (age, note)


def _age_from_baseline(
    participant: Row,
    sessions: dict[str | None, Row],
    session: str | None,
    units: dict[str, str],
) -> Age:
    stated: Age = (None, "")
    for row in (participant, sessions.get(session, {})):
        for columns in (BASELINE_COLUMNS, AGE_COLUMNS):
            if stated == (None, ""):
                stated = measured(row, columns, units)
    baseline, note = stated
    if baseline is None:
        return stated
    elapsed, elapsed_note = _elapsed_years(sessions, session, units)
    if elapsed is not None and elapsed >= -1:
        return baseline + elapsed, note
    if elapsed is not None:
        return None, f"the scan is dated {-elapsed:.1f} years before baseline"
    if len(sessions) == 1 and not elapsed_note:
        return baseline, note
    return None, elapsed_note or f"one age is given for {len(sessions)} sessions; {ADVICE}"


def _elapsed_years(
    sessions: dict[str | None, Row], session: str | None, units: dict[str, str]
) -> Age:
    elapsed, note = measured(sessions.get(session, {}), ELAPSED_COLUMNS, units)
    if elapsed is not None or note:
        return elapsed, note
    texts = {name: find_value(row, DATE_COLUMNS) for name, row in sessions.items()}
    if None in texts.values():
        return None, ""
    try:
        dates = {name: parse_date(text) for name, text in texts.items() if text is not None}
    except ValueError:
        found = ", ".join(text for text in texts.values() if text is not None)
        return None, f"session dates must be ISO 8601 such as 2021-03-31, found {found}"
    return (dates[session] - min(dates.values())).total_seconds() / 86400 / 365.25, ""


def measured(row: Row, columns: dict[str, str], units: dict[str, str]) -> Age:
    """First of `columns` that the row has, in years; (None, "") if it has none of them."""
    column = find_column(row, columns)
    if column is None:
        return None, ""
    number = parse_number(row[column])
    if number is None:
        return None, f"{column} '{row[column]}' is not a number"
    unit = units.get(column.lower(), columns[column.lower()])
    if unit not in YEAR:
        return None, f"{column} is given in '{unit}'; expected one of {', '.join(YEAR)}"
    return number * YEAR[unit], ""


def parse_number(text: str) -> float | None:
    """Read a decimal number, with a point or a comma; None if it is anything else."""
    if not re.fullmatch(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)", text.strip()):
        return None
    return float(text.strip().replace(",", "."))


def parse_date(text: str) -> datetime:
    """Read an ISO 8601 date or time; time zones are dropped.

    Raises
    ------
    ValueError
        The text is no such date.
    """
    return datetime.fromisoformat(text.strip()).replace(tzinfo=None)


def column_units(sidecar: dict) -> dict[str, str]:
    """Units of age-like columns as a JSON sidecar states them: column in lower case -> unit."""
    known = {*AGE_NAMES, *ELAPSED_COLUMNS}
    units = {}
    for column, description in sidecar.items():
        unit = description.get("Units") if isinstance(description, dict) else None
        if column.lower() in known and isinstance(unit, str) and unit.strip():
            word = unit.strip().lower()
            names = {"y": "years", "yr": "years", "mo": "months", "d": "days", "yo": "years"}
            units[column.lower()] = names.get(word.rstrip("s"), word.rstrip("s") + "s")
    return units
