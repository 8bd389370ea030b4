"""What each column of the tables means, and in which unit: BIDS data dictionaries."""

import functools
import re
from collections.abc import Iterable
from pathlib import Path

from brainlapse import runtime
from brainlapse.segmentation.labels import GROUPS, STRUCTURES, region_name

COLUMNS = Path(__file__).with_name("columns.tsv")
FAMILIES = (  # columns whose names are made while running: pattern, meaning
    (r"pc\d+", "score on a principal component of the latents"),
    (r"train_([\w-]+)", "mean of the loss term {0} over the training steps of the epoch"),
    (r"validation_(\w+)", "mean of the loss term {0} over the validation scans"),
    (r"(\w+)_mean", "mean over scans of {0}"),
    (r"(\w+)_sd", "standard deviation over scans of {0}"),
    (r"(\w+)_whole", "{0}, over the whole grid instead of inside the brain mask"),
)
R_NAMES = {"3rd_ventricle": "third_ventricle", "4th_ventricle": "fourth_ventricle"}


@functools.cache
def known() -> dict[str, dict[str, str]]:
    """Return {column: its entry of a data dictionary} of the columns with fixed names."""
    table = runtime.read_table(COLUMNS)
    return {
        row["column"]: {"Description": row["meaning"]}
        | ({"Units": row["units"]} if isinstance(row["units"], str) else {})
        for row in table.to_dict("records")
    }


def describe(column: str) -> dict[str, str]:
    """Return the entry of one column; columns of the user's own tables say so."""
    if column in known():
        return known()[column]
    for pattern, words in FAMILIES:
        if match := re.fullmatch(pattern, column):
            stem = match.group(1) if match.groups() else ""
            units = known().get(stem, {}).get("Units")
            entry = {"Description": words.format(stem)}
            return entry | ({"Units": units} if units else {})
    if column in region_columns():
        return {"Description": f"volume of the {column.replace('_', ' ')}", "Units": "mm3"}
    return {"Description": "as in the participants or sessions table of the data set"}


def region_columns() -> set[str]:
    """Return the columns of wide tables that hold regional volumes."""
    names = [*GROUPS, *(region_name(structure) for structure in STRUCTURES)]
    return {column_name(name) for name in names}


def column_name(region: str) -> str:
    """Return a region's name as a column that R and formulas take as it is."""
    return R_NAMES.get(region, region)


def dictionary(columns: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the data dictionary of a table with these columns."""
    return {column: describe(column) for column in columns}
