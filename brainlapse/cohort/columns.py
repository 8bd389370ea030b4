"""Names of columns: what data sets call things, and how a column is found by the user's name."""

import re
from collections.abc import Iterable

SUBJECT_COLUMNS = ("participant_id", "subject_id", "subject", "participant", "sub", "subject_label")
SESSION_COLUMNS = ("session_id", "session", "ses", "session_label")
SEX_COLUMNS = ("sex", "gender")
DIAGNOSIS_COLUMNS = ("diagnosis", "dx", "group", "diagnostic_group")
AGE_COLUMNS = {
    "age_years": "years",
    "age_at_scan": "years",
    "age_at_session": "years",
    "age_at_visit": "years",
    "age_at_acquisition": "years",
    "scan_age": "years",
    "session_age": "years",
    "age": "years",
    "age_in_years": "years",
    "age_yrs": "years",
    "age_yr": "years",
    "age_y": "years",
    "age_at_mri": "years",
    "age_at_exam": "years",
    "age_months": "months",
    "age_in_months": "months",
    "age_mo": "months",
    "interview_age": "months",  # of the NIMH Data Archive: ABCD, HCP lifespan
    "age_weeks": "weeks",
    "age_days": "days",
    "age_in_days": "days",
}
BASELINE_COLUMNS = dict.fromkeys(
    ("baseline_age", "age_at_baseline", "age_baseline", "age_bl", "age_at_entry", "ageatentry"),
    "years",
)
ELAPSED_COLUMNS = {
    "days_since_baseline": "days",
    "days_from_baseline": "days",
    "days_to_visit": "days",
    "days": "days",
    "months_since_baseline": "months",
    "months_from_baseline": "months",
    "month_bl": "months",
    "months_bl": "months",
    "years_since_baseline": "years",
    "years_from_baseline": "years",
    "years_bl": "years",
}
DATE_COLUMNS = (
    "acq_time",
    "acq_date",
    "acquisition_date",
    "acquisition_time",
    "scan_date",
    "session_date",
    "visit_date",
    "examdate",
    "exam_date",
    "date",
)
BIRTH_COLUMNS = (
    "date_of_birth",
    "dob",
    "birth_date",
    "birthdate",
    "year_of_birth",
    "birth_year",
    "yob",
)
AGE_NAMES = frozenset((*AGE_COLUMNS, *BASELINE_COLUMNS))
SPLIT_COLUMN = "split"
SCAN_COLUMNS = (
    "dataset",
    "subject",
    "session",
    "scan",
    "person",
    "path",
    "age_years",
    "sex",
    "diagnosis",
    "role",
    "split",
    "sha256",
    "image_sha256",
    "note",
)
LATER_COLUMNS = ("status", "flagged", "scan_path")  # that later stages add to rows of scans.tsv
RESERVED_COLUMNS = frozenset((*SCAN_COLUMNS, *LATER_COLUMNS))
STATED = "_stated"  # ends the user's column whose name is one of ours


def plain_name(column: str) -> str:
    """Write a column's name the plain way: `Age (years)`, `AgeYears` and `AGE_years` are one."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column)
    return re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_")


def find_named(name: str, columns: Iterable[str]) -> str | None:
    """Column of scans.tsv that a user means by a name of their own table; None if there is none.

    A name that is ours as well means the user's column, which ends in `_stated` then; the columns
    that hold ages are `age_years`; capitals do not matter.
    """
    known = list(columns)
    for wanted in (name + STATED, name):
        if wanted in known:
            return wanted
    if plain_name(name) in AGE_NAMES and "age_years" in known:
        return "age_years"
    alike = [column for column in known if column.lower() == name.lower()]
    return alike[0] if len(alike) == 1 else None
