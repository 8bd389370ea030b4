"""Where a scan was made: data set, site and scanner, under the names that tables use for them."""

from collections.abc import Sequence

import pandas as pd

from brainlapse.cohort.columns import plain_name
from brainlapse.cohort.people.names import class_name

SITE_COLUMNS = (
    *("site", "site_id", "site_name", "study_site", "scan_site", "imaging_site"),
    *("acquisition_site", "center", "centre", "center_id", "centre_id"),
    *("institution", "institution_name"),
)
SCANNER_COLUMNS = (
    *("device_serial_number", "deviceserialnumber", "station_name", "stationname"),
    *("scanner", "scanner_id", "scannerid", "scanner_name", "mri_scanner", "scanner_model"),
    *("manufacturers_model_name", "manufacturersmodelname", "manufacturer"),
    *("scanner_manufacturer", "magnetic_field_strength", "magneticfieldstrength"),
    *("field_strength", "fieldstrength"),
)
"""Plain names; the first that a scan has a value for counts."""


def tabulate_places(scans: pd.DataFrame) -> pd.DataFrame:
    """Say where each scan was made.

    Parameters
    ----------
    scans
        Rows of scans.tsv, with the user's columns.

    Returns
    -------
    pandas.DataFrame
        dataset, site and scanner of each row, missing where no table says so. Sites and scanners
        are named `people/name`: one name in two data sets means two places, unless the data sets
        share their people.
    """
    return pd.DataFrame(
        {
            "dataset": scans["dataset"].astype(str),
            "site": _named(scans, SITE_COLUMNS),
            "scanner": _named(scans, SCANNER_COLUMNS),
        },
        index=scans.index,
    )


def _named(scans: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    spelled: dict[str, list[str]] = {}
    for column in map(str, scans.columns):
        spelled.setdefault(plain_name(column), []).append(column)
    found = pd.Series(None, index=scans.index, dtype=object)
    for column in (column for name in names for column in spelled.get(name, [])):
        found = found.where(found.notna(), scans[column].map(class_name))
    return (_owner(scans) + "/" + found).astype(object).where(found.notna(), None)


def _owner(scans: pd.DataFrame) -> pd.Series:
    """Name of the people that a data set takes part in; it stands before their names."""
    if "person" not in scans:
        return scans["dataset"].astype(str)
    return scans["person"].astype(str).str.replace("/.*", "", regex=True)
