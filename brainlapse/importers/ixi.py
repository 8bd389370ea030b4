"""IXI.xls of brain-development.org: one row per person, a few listed twice with other values."""

from pathlib import Path

import pandas as pd

from brainlapse.cohort.columns import find_named
from brainlapse.importers.folders import Labels, digits, name_subjects
from brainlapse.importers.reading import coded, numbers, read_source
from brainlapse.importers.writing import SEX_MEANING, Imported, agreeing

SEX = "SEX_ID (1=m, 2=f)"
REQUIRED = ("IXI_ID", SEX, "AGE")
MEANINGS: dict[str, dict] = {
    "age": {"Description": "age at the scan", "Units": "years"},
    "sex": SEX_MEANING,
    "height_cm": {"Description": "height, 0 taken as missing", "Units": "cm"},
    "weight_kg": {"Description": "weight, 0 taken as missing", "Units": "kg"},
}


def read_ixi(path: str | Path, labels: Labels) -> Imported:
    """Read IXI.xls, or the sheet saved as CSV.

    Raises
    ------
    ImportFailed
        The file is another table.
    """
    table = read_source(path, REQUIRED)
    key = digits(r"(?:IXI)?0*(\d{1,3})")
    people = pd.DataFrame(
        {
            "participant_id": name_subjects(table["IXI_ID"], labels, key, "sub-IXI{:0>3}"),
            "age": numbers(table["AGE"]),
            "sex": coded(table[SEX], {"1": "M", "2": "F"}),
            "height_cm": _positive(table, "HEIGHT"),
            "weight_kg": _positive(table, "WEIGHT"),
        }
    ).dropna(subset=["participant_id"])
    participants, notes = agreeing(people, "participant_id")
    return Imported(participants, meanings=MEANINGS, notes=tuple(notes))


def _positive(table: pd.DataFrame, name: str) -> pd.Series | None:
    column = find_named(name, table.columns)
    if column is None:
        return None
    found = numbers(table[column])
    return found.where(found > 0)
