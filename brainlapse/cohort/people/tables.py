"""Read the tables of a BIDS data set as people really write them.

Tab-separated tables know no quoting (BIDS): a quote is a character like any other, except that
one around a whole cell, as R and Excel write them, is taken off. Byte-order marks, UTF-16, Windows
text and commas or semicolons in place of tabs are understood. A line whose number of cells is not
the header's may have lost or gained one anywhere, so it is left out and named.
"""

import csv
import json
import re
from dataclasses import dataclass, field

from brainlapse.cohort.people.rows import MISSING, Row
from brainlapse.nifti.files import read_regular, shown
from brainlapse.rejection import ScanRejected

MAX_TABLE_BYTES = 500_000_000
NO_TEXT = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b")  # xlsx, xls, gzip
DELIMITERS = "\t;,"
MARKS = {b"\xff\xfe\0\0": "utf-32", b"\0\0\xfe\xff": "utf-32", b"\xff\xfe": "utf-16"}
MARKS |= {b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


@dataclass(frozen=True)
class Table:
    """A table as rows of text; cells that hold a missing value are left out.

    `faults` holds, for each line that was left out in part or whole, its first cell and a
    sentence; `problem` is a sentence where the whole table cannot be read.
    """

    path: str
    columns: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)
    problem: str | None = None


def read_table(path: str) -> Table:
    """Read a table; what cannot be read is said in the result, never raised.

    Raises
    ------
    OSError
        The machine is at fault, not the file.
    """
    try:
        content = read_regular(path, MAX_TABLE_BYTES, "table")
    except ScanRejected as reason:
        return Table(path, problem=str(reason))
    if content.startswith(NO_TEXT):
        packed = "an Excel sheet or a packed file; save it as tab-separated text"
        return Table(path, problem=f"{shown(path)}: expected a table, found {packed}")
    text = decode(content)
    lines = re.split("\r\n|\r|\n", text)
    numbers = [number for number, line in enumerate(lines, start=1) if line.strip()]
    if not numbers:
        return Table(path, problem=f"{shown(path)}: expected a table, found no line in it")
    first = lines[numbers[0] - 1]
    delimiter = next((mark for mark in DELIMITERS if mark in first), "\t")
    header = _split(first, delimiter)
    while len(header) > 1 and not header[-1]:
        header.pop()
    found = Table(path, [name for name in header if name])
    for number in numbers[1:]:
        _add_line(found, header, _split(lines[number - 1], delimiter), number)
    return found


def _add_line(found: Table, header: list[str], cells: list[str], number: int) -> None:
    while len(cells) > len(header) and not cells[-1]:
        cells.pop()
    where = f"line {number} of {shown(found.path.rpartition('/')[2])}"
    if len(cells) != len(header):
        sentence = (
            f"{where} has {len(cells)} cells where the header has {len(header)} and was left out"
        )
        found.faults.append((cells[0], sentence))
        return
    row: Row = {}
    spelled = {name.lower(): name for name in reversed(header)}
    for name, cell in zip(header, cells, strict=True):
        if not name or cell.lower() in MISSING:
            continue
        known = spelled[name.lower()]
        if row.setdefault(known, cell) != cell:
            found.faults.append((cells[0], f"{where} gives {name} twice, {row[known]} and {cell}"))
            row[known] = ""
    found.rows.append({name: cell for name, cell in row.items() if cell})


def _split(line: str, delimiter: str) -> list[str]:
    """Cells of one line; no quote reaches beyond it."""
    if delimiter == "\t":
        cells = line.split(delimiter)
    else:
        cells = next(csv.reader([line], delimiter=delimiter))
    return [_unquote(cell.strip().lstrip("\ufeff")) for cell in cells]


def _unquote(cell: str) -> str:
    if len(cell) > 1 and cell[0] == cell[-1] == '"':
        return cell[1:-1].replace('""', '"').strip()
    return cell


def read_sidecar(path: str) -> dict:
    """Read the JSON that describes a table's columns; an unreadable one counts as empty.

    Raises
    ------
    OSError
        The machine is at fault, not the file.
    """
    try:
        content = json.loads(decode(read_regular(path, MAX_TABLE_BYTES, "table")))
    except (ScanRejected, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def decode(raw: bytes) -> str:
    """Decode text by its mark; without one as UTF-8, UTF-16 or Windows' Western characters."""
    for mark, encoding in MARKS.items():
        if raw.startswith(mark):
            return raw.decode(encoding, errors="replace")
    if b"\0" in raw[:1000]:
        little = raw[1:1000:2].count(0) >= raw[:1000:2].count(0)
        return raw.decode("utf-16-le" if little else "utf-16-be", errors="replace")
    for encoding in ("utf-8", "cp1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")
