"""Read a table as its data set hands it out: CSV, or an Excel sheet."""

import io
from pathlib import Path

import pandas as pd

from brainlapse.cohort.people.rows import MISSING
from brainlapse.cohort.people.tables import MAX_TABLE_BYTES, decode
from brainlapse.nifti.files import read_regular
from brainlapse.rejection import ScanRejected

EXCEL = {".xls": "xlrd", ".xlsx": "openpyxl"}


class ImportFailed(Exception):
    """The table cannot be taken over; the message says file, expected, found and what to do."""


def read_source(path: str | Path, required: tuple[str, ...]) -> pd.DataFrame:
    """Read a table as text, column names as they are, missing cells as NaN.

    Parameters
    ----------
    required
        Columns that the data set's table has; capitals and spaces around them do not matter, and
        they are named like this in the result.

    Raises
    ------
    ImportFailed
        The file cannot be read, or is another table.
    """
    try:
        content = read_regular(str(path), MAX_TABLE_BYTES, "table")
        suffix = Path(path).suffix.lower()
        table = _read_excel(content, suffix) if suffix in EXCEL else _read_text(content)
    except (ScanRejected, ValueError, ImportError) as error:
        message = f"{path}: expected a table, found none ({error})"
        raise ImportFailed(message) from error
    table = table.rename(columns=lambda name: " ".join(str(name).split()))
    spelled = {name.lower(): name for name in reversed(table.columns)}
    missing = [name for name in required if name.lower() not in spelled]
    if missing:
        message = (
            f"{path}: expected the columns {', '.join(required)}, found "
            f"{', '.join(table.columns[:8])}; {', '.join(missing)} missing, is it another table?"
        )
        raise ImportFailed(message)
    table = table.rename(columns={spelled[name.lower()]: name for name in required})
    cells = table.apply(lambda column: column.str.strip())
    return cells.mask(cells.apply(lambda column: column.str.lower().isin(MISSING)))


def _read_text(content: bytes) -> pd.DataFrame:
    text = decode(content)
    first = text.lstrip().partition("\n")[0]
    delimiter = next((mark for mark in "\t;," if mark in first), ",")
    return pd.read_csv(io.StringIO(text), sep=delimiter, dtype=str, keep_default_na=False)


def _read_excel(content: bytes, suffix: str) -> pd.DataFrame:
    try:
        table = pd.read_excel(io.BytesIO(content), dtype=str, na_filter=False)
    except ImportError as error:
        reader = EXCEL[suffix]
        message = f"{reader} is not installed: pip install {reader}, or save the sheet as .csv"
        raise ImportError(message) from error
    return table.astype(str)


def numbers(column: pd.Series) -> pd.Series:
    """Read numbers; what is none is missing."""
    return pd.to_numeric(column.str.replace(",", ".", regex=False), errors="coerce")


def coded(column: pd.Series, meanings: dict[str, str]) -> pd.Series:
    """Replace codes, in any capitals and with or without `.0`; others are missing."""
    return column.str.lower().str.removesuffix(".0").map(meanings)
