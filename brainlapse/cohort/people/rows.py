"""Read the tables of a BIDS data set as people really write them.

Byte-order marks, Latin-1 text, commas or semicolons in place of tabs, identifiers without their
`sub-` or `ses-` prefix and the many spellings of a missing value are understood.
"""

import csv
import json
from collections.abc import Iterable
from pathlib import Path

Row = dict[str, str]  # column -> text; missing cells are absent

MISSING = {"", "n/a", "na", "n.a.", "nan", "none", "null", "unknown", "missing", ".", "-", "?"}
SUBJECT_COLUMNS = ("participant_id", "subject_id", "subject", "participant")
SESSION_COLUMNS = ("session_id", "session")


def read_rows(path: str | Path) -> list[Row]:
    """Read a table as rows of text; cells that hold a missing value are left out."""
    lines = _read_text(path).splitlines()
    if not lines:
        return []
    delimiter = next((mark for mark in "\t;," if mark in lines[0]), "\t")
    table = csv.reader(lines, delimiter=delimiter)
    header = [name.strip() for name in next(table)]
    return [
        {
            name: cell.strip()
            for name, cell in zip(header, cells, strict=False)
            if name and cell.strip().lower() not in MISSING
        }
        for cells in table
    ]


def read_sidecar(path: str | Path) -> dict:
    """Read the JSON that describes a table's columns; an unreadable one counts as empty."""
    try:
        content = json.loads(_read_text(path))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _read_text(path: str | Path) -> str:
    raw = Path(path).read_bytes()
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def find_column(row: Row, names: Iterable[str]) -> str | None:
    """First of `names` (lower case) that the row has a value for, as the table spells it."""
    spelled = {column.lower(): column for column in reversed(row)}
    return next((spelled[name] for name in names if name in spelled), None)


def find_value(row: Row, names: Iterable[str]) -> str | None:
    """Value of the first of `names` (lower case) that the row has one for."""
    column = find_column(row, names)
    return None if column is None else row[column]


def find_label(row: Row, prefix: str) -> str | None:
    """Give the identifier of a row, `sub-...` or `ses-...`, with its prefix added if it lacks."""
    value = find_value(row, SUBJECT_COLUMNS if prefix == "sub-" else SESSION_COLUMNS)
    return value if value is None or value.startswith(prefix) else prefix + value


def agreed(rows: list[Row]) -> tuple[Row, list[str]]:
    """Join several rows about one subject; columns in which they differ are left out, by name."""
    values: dict[str, set[str]] = {}
    for row in rows:
        for column, value in row.items():
            values.setdefault(column, set()).add(value)
    joined = {column: next(iter(found)) for column, found in values.items() if len(found) == 1}
    return joined, [column for column in values if column not in joined]
