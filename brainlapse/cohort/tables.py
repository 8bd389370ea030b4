"""Columns and file layout of the cohort's tables."""

from pathlib import Path

import pandas as pd

from brainlapse import runtime
from brainlapse.cohort.columns import SCAN_COLUMNS

PERSON = ["dataset", "subject"]
SCAN = ["dataset", "scan"]
SPLIT_SCAN = ["dataset", "subject", "session", "scan", "split"]
ALTERNATIVE_COLUMNS = ("dataset", "subject", "session", "scan", "path", "reason")
REJECTED_COLUMNS = (*ALTERNATIVE_COLUMNS, "stage")
BRAIN = "_space-MNI_desc-brain_T1w.nii.gz"  # after `scan_path`, under preprocess/
BRAIN_MASK = "_space-MNI_desc-brain_mask.nii.gz"


def scan_name(subject: str, session: str | None) -> str:
    """Name of a scan: `sub-01_ses-1`, or `sub-01` where there are no sessions."""
    return f"{subject}_{session}" if has_session(session) else subject


def scan_path(dataset: str, subject: str, session: str | None) -> str:
    """Stem of a scan's files: `<dataset>/sub-01/ses-1/sub-01_ses-1` or `<dataset>/sub-01/sub-01`.

    A session of None, NaN, an empty string or `n/a` stands for none.
    """
    folders = [dataset, subject, session] if has_session(session) else [dataset, subject]
    return "/".join([*folders, scan_name(subject, session)])


def has_session(session: str | float | None) -> bool:
    """Whether a cell of the session column names a session."""
    return isinstance(session, str) and session not in ("", "n/a")


def read_scans(path: str | Path) -> pd.DataFrame:
    """Read `cohort/scans.tsv`: one row per accepted scan, missing values as NaN.

    Raises
    ------
    DamagedFile
        The file is cut, or lacks a contract column.
    """
    return runtime.read_table(path, SCAN_COLUMNS)


def is_flagged(scans: pd.DataFrame) -> pd.Series:
    """Rows that quality control flagged; no ``flagged`` column means none."""
    if "flagged" not in scans:
        return pd.Series(False, index=scans.index)
    return scans["flagged"].astype(str).str.lower().isin(["true", "1", "1.0", "yes"])
