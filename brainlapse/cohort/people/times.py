"""What one row of a table says about time: age, age at baseline, time since, dates."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime

from brainlapse.cohort.columns import (
    AGE_COLUMNS,
    AGE_NAMES,
    BASELINE_COLUMNS,
    BIRTH_COLUMNS,
    DATE_COLUMNS,
    ELAPSED_COLUMNS,
    plain_name,
)
from brainlapse.cohort.people.rows import Row, find_column
from brainlapse.cohort.people.units import (
    COMPOUND,
    YEAR,
    UnknownUnitError,
    parse_age,
    parse_number,
    parse_unit,
)

DAYS_PER_YEAR = 365.25
SAME_AGE_YEARS = 1.1  # two roundings of one age are no further apart


@dataclass(frozen=True)
class Times:
    """What is known; ages and time since baseline in years, `None` where nothing is said.

    `whole` says that the age was given in whole years. Each note is a sentence.
    """

    age: float | None = None
    baseline: float | None = None
    elapsed: float | None = None
    date: datetime | None = None
    birth: datetime | None = None
    whole: bool = False
    notes: tuple[str, ...] = ()

    def over(self, general: "Times") -> "Times":
        """Join with what a more general table says; this one goes first."""
        changes = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name not in ("notes", "whole") and getattr(self, field.name) is not None
        }
        whole = self.whole if self.age is not None else general.whole
        return replace(general, **changes, whole=whole, notes=general.notes + self.notes)


def read_times(row: Row, units: Mapping[str, str]) -> Times:
    """Read one row.

    Parameters
    ----------
    row
        Cells of one line.
    units
        Words for units by column (plain name), where the sidecar states them.
    """
    notes: list[str] = []
    age, whole = _measure(row, AGE_COLUMNS, units, notes)
    notes += _other_ages(row, age, units)
    baseline, _ = _measure(row, BASELINE_COLUMNS, units, notes)
    elapsed, _ = _measure(row, ELAPSED_COLUMNS, units, notes)
    date, _ = _date(row, DATE_COLUMNS, notes)
    birth, rough = _date(row, BIRTH_COLUMNS, notes)
    if rough:
        notes.append("only the year of birth is given, ages are good to half a year")
    return Times(age, baseline, elapsed, date, birth, whole, tuple(notes))


def _measure(
    row: Row, columns: dict[str, str], units: Mapping[str, str], notes: list[str]
) -> tuple[float | None, bool]:
    """First of `columns` that the row has, in years, and whether it is a whole number."""
    column = find_column(row, columns)
    if column is None:
        return None, False
    text, key = row[column], plain_name(column)
    try:
        unit = parse_unit(units.get(key, "")) or columns[key]
    except UnknownUnitError:
        known = ", ".join(YEAR)
        notes.append(f"{column} is given in '{units[key]}'; expected one of {known}")
        return None, False
    years = parse_age(text, unit)
    if years is None:
        notes.append(f"{column} '{text}' is not a number")
    elif unit == COMPOUND and re.search(r"[.,]", text):
        notes.append(f"{column} '{text}' in '{units[key]}' was read as decimal years")
    number = parse_number(text)
    return years, number is not None and number.is_integer()


def _other_ages(row: Row, age: float | None, units: Mapping[str, str]) -> list[str]:
    """Say which further columns of the row give another age."""
    first = find_column(row, AGE_COLUMNS)
    others = [c for c in row if plain_name(c) in AGE_COLUMNS and c != first]
    notes = []
    for column in others:
        years, _ = _measure({column: row[column]}, AGE_COLUMNS, units, [])
        if age is not None and years is not None and abs(years - age) > SAME_AGE_YEARS:
            notes.append(f"{first} gives {age:g} years and {column} {years:g}; the first was taken")
    return notes


def _date(row: Row, columns: tuple[str, ...], notes: list[str]) -> tuple[datetime | None, bool]:
    """First of `columns` that the row has, and whether it is a year only."""
    column = find_column(row, columns)
    if column is None:
        return None, False
    text = row[column].strip()
    if re.fullmatch(r"(1[89]|20)\d\d", text) and columns is BIRTH_COLUMNS:
        return datetime(int(text), 7, 2), True
    try:
        return parse_date(text), False
    except ValueError:
        notes.append(f"{column} '{text}' is no ISO 8601 date such as 2021-03-31")
        return None, False


def parse_date(text: str) -> datetime:
    """Read an ISO 8601 date or time; time zones are dropped.

    Raises
    ------
    ValueError
        The text is no such date.
    """
    return datetime.fromisoformat(text.strip()).replace(tzinfo=None)


def years_between(first: datetime, second: datetime) -> float:
    """Time from `first` to `second` in years."""
    return (second - first).total_seconds() / 86400 / DAYS_PER_YEAR


def column_units(sidecar: dict) -> dict[str, str]:
    """Units of age-like columns as a JSON sidecar states them: plain name -> words."""
    known = {*AGE_NAMES, *ELAPSED_COLUMNS}
    units = {}
    for column, description in sidecar.items():
        if plain_name(column) not in known or not isinstance(description, dict):
            continue
        stated = {str(key).lower(): value for key, value in description.items()}
        unit = stated.get("units", stated.get("unit"))
        if isinstance(unit, str) and unit.strip():
            units[plain_name(column)] = unit.strip()
    return units
