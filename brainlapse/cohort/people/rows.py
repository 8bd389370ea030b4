"""Rows of tables about people: finding columns and identifiers as people spell them."""

from collections.abc import Iterable

from brainlapse.cohort.columns import SESSION_COLUMNS, SUBJECT_COLUMNS, plain_name

Row = dict[str, str]  # column -> text; missing cells are absent

MISSING = {"", "n/a", "na", "n.a.", "nan", "none", "null", "unknown", "missing", ".", "-", "?"}


def find_column(row: Iterable[str], names: Iterable[str]) -> str | None:
    """First of `names` (plain ones) among the columns of a row, as the table spells it."""
    spelled: dict[str, str] = {}
    for column in row:
        spelled.setdefault(plain_name(column), column)
    return next((spelled[name] for name in names if name in spelled), None)


def find_value(row: Row, names: Iterable[str]) -> str | None:
    """Value of the first of `names` (plain ones) that the row has one for."""
    column = find_column(row, names)
    return None if column is None else row[column]


def find_label(row: Row, prefix: str) -> str | None:
    """Give the identifier of a row, `sub-...` or `ses-...`, with its prefix added if it lacks."""
    value = find_value(row, SUBJECT_COLUMNS if prefix == "sub-" else SESSION_COLUMNS)
    return None if value is None else label(value, prefix)


def label(text: str, prefix: str) -> str:
    """Add the prefix `sub-` or `ses-` where it lacks."""
    return text if text.startswith(prefix) else prefix + text


def agreed(rows: list[Row]) -> tuple[Row, list[str]]:
    """Join several rows about one subject; columns in which they differ are left out, by name."""
    values: dict[str, set[str]] = {}
    for row in rows:
        for column, value in row.items():
            values.setdefault(column, set()).add(value)
    joined = {column: next(iter(found)) for column, found in values.items() if len(found) == 1}
    return joined, [column for column in values if column not in joined]
