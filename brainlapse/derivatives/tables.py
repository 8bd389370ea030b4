"""Tables of participants, sessions and regional volumes, wide and long, by data set."""

import pandas as pd

from brainlapse.derivatives.dictionary import column_name

IDENTITY = ("participant_id", "session_id")
PERSONAL = ("person", "sex", "diagnosis", "role", "split")  # one value a subject
PRIVATE = ("path", "sha256", "image_sha256", "scan_path")  # of this machine, not of the results
NO_SESSION = "n/a"


def identified(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with BIDS names of subject and session in front, without the data set."""
    renamed = table.rename(columns={"subject": "participant_id", "session": "session_id"})
    lead = [name for name in IDENTITY if name in renamed]
    rest = [name for name in renamed if name not in (*lead, "dataset", *PRIVATE)]
    return renamed[[*lead, *rest]].sort_values(lead, kind="stable")


def participants(scans: pd.DataFrame) -> pd.DataFrame:
    """Return a row per subject; with the age where no subject has sessions."""
    table = identified(scans)
    columns = [name for name in PERSONAL if name in table]
    if table["session_id"].isna().all():
        columns.append("age_years")
    return table.drop_duplicates("participant_id")[["participant_id", *columns]]


def sessions(scans: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return {subject: a row per session with what changes between sessions}."""
    table = identified(scans).dropna(subset=["session_id"])
    dropped = ["participant_id", "scan", *(name for name in PERSONAL if name in table)]
    return {
        str(subject): rows.drop(columns=dropped).reset_index(drop=True)
        for subject, rows in table.groupby("participant_id", sort=True)
    }


def wide_volumes(volumes: pd.DataFrame, scans: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the volumes of real scans, a row per scan and a column per region [mm3].

    Parameters
    ----------
    volumes
        ``volumes.tsv`` of one data set.
    scans
        Its scans, for age, sex, diagnosis and split.
    column
        ``volume_mm3`` (MNI space) or ``native_volume_mm3``.
    """
    real = volumes[volumes["kind"] == "real"].dropna(subset=[column])
    order = list(dict.fromkeys(real["region"]))
    wide = real.pivot_table(index="scan", columns="region", values=column, aggfunc="first")
    wide = wide.reindex(columns=order).rename(columns=column_name)
    facts = [name for name in ("age_years", *PERSONAL) if name in scans]
    left = scans[["subject", "session", "scan", *facts]]
    return identified(left.merge(wide, left_on="scan", right_index=True))


def wide_rates(rates: pd.DataFrame, scans: pd.DataFrame) -> pd.DataFrame:
    """Return yearly changes, a row per person and a column per region [% per year].

    Parameters
    ----------
    rates
        ``rates.tsv`` of one data set.
    scans
        Its scans, for sex, diagnosis and split.
    """
    order = list(dict.fromkeys(rates["region"]))
    wide = rates.pivot_table(index="subject", columns="region", values="rate_pct_per_year")
    wide = wide.reindex(columns=order).rename(columns=column_name)
    facts = [name for name in PERSONAL if name in scans]
    people = scans.drop_duplicates("subject")[["subject", *facts]]
    return identified(people.merge(wide, left_on="subject", right_index=True))


def long_volumes(volumes: pd.DataFrame, scans: pd.DataFrame) -> pd.DataFrame:
    """Return the volumes of real scans, a row per scan and region."""
    real = volumes[volumes["kind"] == "real"]
    values = ["region", "volume_mm3", "native_volume_mm3", "intracranial_share", "backend"]
    facts = [name for name in ("age_years", *PERSONAL) if name in scans]
    left = scans[["subject", "session", "scan", *facts]]
    kept = real[["scan", *(name for name in values if name in real)]]
    return identified(left.merge(kept, on="scan"))
