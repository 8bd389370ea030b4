"""ADNIMERGE.csv: one row per visit; AGE is the age at baseline on each of them."""

import re
from pathlib import Path

import pandas as pd

from brainlapse.importers.folders import Labels, name_subjects
from brainlapse.importers.reading import coded, numbers, read_source
from brainlapse.importers.writing import SEX_MEANING, Imported, agreeing

REQUIRED = ("PTID", "VISCODE", "AGE", "PTGENDER", "DX", "Years_bl")
MEANINGS: dict[str, dict] = {
    "age": {"Description": "AGE (at baseline) plus Years_bl", "Units": "years"},
    "years_since_baseline": {"Description": "Years_bl", "Units": "years"},
    "sex": SEX_MEANING,
    "diagnosis": {"Description": "DX: CN, MCI, Dementia"},
    "baseline_diagnosis": {"Description": "DX_bl"},
    "education_years": {"Description": "PTEDUCAT", "Units": "years"},
    "apoe4": {"Description": "number of APOE e4 alleles"},
    "mmse": {"Description": "MMSE"},
    "cdrsb": {"Description": "CDRSB: clinical dementia rating, sum of boxes"},
}
OF_PERSON = {"DX_bl": "baseline_diagnosis", "PTEDUCAT": "education_years", "APOE4": "apoe4"}
OF_VISIT = {"MMSE": "mmse", "CDRSB": "cdrsb"}


def read_adni(path: str | Path, labels: Labels) -> Imported:
    """Read ADNIMERGE.csv.

    With a folder, its sessions are matched by their months (`ses-M012`, `ses-m12`, `ses-bl`);
    without one, people and sessions are named as Clinica does: sub-ADNI002S0295, ses-M012.

    Raises
    ------
    ImportFailed
        The file is another table.
    """
    table = read_source(path, REQUIRED)
    months = table["VISCODE"].map(visit_months, na_action="ignore")
    subject = name_subjects(table["PTID"], labels, person_key, "sub-ADNI{}")
    rows = pd.DataFrame(
        {
            "participant_id": subject,
            "session_id": [
                session_label(*key, labels) for key in zip(subject, months, strict=True)
            ],
            "age": numbers(table["AGE"]) + numbers(table["Years_bl"]),
            "years_since_baseline": numbers(table["Years_bl"]),
            "diagnosis": table["DX"],
        }
    )
    rows = rows.assign(**{new: table[old] for old, new in OF_VISIT.items() if old in table})
    sex = coded(table["PTGENDER"], {"male": "M", "female": "F"})
    people = pd.DataFrame({"participant_id": subject, "sex": sex})
    people = people.assign(**{new: table[old] for old, new in OF_PERSON.items() if old in table})
    participants, notes = agreeing(people.dropna(subset=["participant_id"]), "participant_id")
    known = rows.dropna(subset=["participant_id", "session_id"])
    twice = known.duplicated(["participant_id", "session_id"], keep=False)
    if twice.any():
        notes.append(f"{int(twice.sum())} rows share a person and a visit and were left out")
    sessions = known[~twice].sort_values(["participant_id", "years_since_baseline"])
    return Imported(participants, sessions.reset_index(drop=True), MEANINGS, tuple(notes))


def person_key(text: str) -> str | None:
    """Site and number of a person, of `002_S_0295` as of `ADNI002S0295`: 002S0295."""
    match = re.search(r"(\d{3})_?S_?(\d{4})", text, re.IGNORECASE)
    return None if match is None else f"{match[1]}S{match[2]}"


def visit_months(code: str) -> int | None:
    """Months since baseline of a visit code: bl, sc (screening) and m00 are 0."""
    if code.lower() in ("bl", "sc", "scmri"):
        return 0
    match = re.fullmatch(r"m0*(\d+)", code.lower())
    return None if match is None else int(match[1])


def session_label(subject: object, months: float | None, labels: Labels) -> str | None:
    """Label of a visit: the folder's session of so many months, or Clinica's name for it."""
    if not isinstance(subject, str) or months is None or pd.isna(months):
        return None
    if not labels.known:
        return f"ses-M{int(months):03d}"
    of_subject = labels.sessions.get(subject, [])
    same = [s for s in of_subject if visit_months(s.removeprefix("ses-")) == months]
    return same[0] if len(same) == 1 else None
