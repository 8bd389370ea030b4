"""Tables of the Human Connectome Project, young adults: open ages are ranges of years.

The restricted table, if at hand, gives ages in years and the family, which a split should keep
together: brothers, sisters and twins look alike.
"""

import re
from pathlib import Path

import pandas as pd

from brainlapse.importers.folders import Labels, digits, name_subjects
from brainlapse.importers.reading import coded, numbers, read_source
from brainlapse.importers.writing import SEX_MEANING, Imported, agreeing

MEANINGS: dict[str, dict] = {
    "age": {"Description": "age, or the middle of age_range where that is all", "Units": "years"},
    "age_range": {"Description": "age as the open table gives it; the last year is included"},
    "sex": SEX_MEANING,
    "family_id": {"Description": "people of one family, from the restricted table"},
}
RANGE = re.compile(r"(\d+)\s*-\s*(\d+)")


def read_hcp(path: str | Path, labels: Labels, restricted: str | Path | None = None) -> Imported:
    """Read the open table, and the restricted one beside it.

    Raises
    ------
    ImportFailed
        A file is another table.
    """
    table = read_source(path, ("Subject", "Gender", "Age"))
    people = pd.DataFrame(
        {
            "participant_id": _subjects(table, labels),
            "age": table["Age"].map(middle, na_action="ignore").astype(float),
            "age_range": table["Age"],
            "sex": coded(table["Gender"], {"m": "M", "f": "F"}),
        }
    ).dropna(subset=["participant_id"])
    participants, notes = agreeing(people, "participant_id")
    if restricted is not None:
        more = read_source(restricted, ("Subject", "Age_in_Yrs", "Family_ID"))
        exact = pd.DataFrame(
            {
                "participant_id": _subjects(more, labels),
                "years": numbers(more["Age_in_Yrs"]),
                "family_id": more["Family_ID"],
            }
        ).dropna(subset=["participant_id"])
        exact, more_notes = agreeing(exact, "participant_id")
        notes += more_notes
        participants = participants.merge(exact, on="participant_id", how="left")
        participants["age"] = participants.pop("years").fillna(participants["age"])
    open_ended = int((participants["age"].isna() & participants["age_range"].notna()).sum())
    if open_ended:
        notes.append(f"{open_ended} ages have no upper end (36+) and are missing")
    return Imported(participants, meanings=MEANINGS, notes=tuple(notes))


def _subjects(table: pd.DataFrame, labels: Labels) -> pd.Series:
    return name_subjects(table["Subject"], labels, digits(r"(\d{6})"), "sub-{}")


def middle(text: str) -> float | None:
    """Middle of a range of whole years, which the last year is part of: 26-30 is 28.5."""
    match = RANGE.fullmatch(text.strip())
    return None if match is None else (int(match[1]) + int(match[2]) + 1) / 2
