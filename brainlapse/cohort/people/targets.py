"""Columns that tasks ask for and no data set has: seen from the headers, before the first job."""

from collections.abc import Iterator, Mapping
from typing import Any

from brainlapse import runtime
from brainlapse.cohort.columns import (
    DIAGNOSIS_COLUMNS,
    SCAN_COLUMNS,
    SEX_COLUMNS,
    find_named,
    plain_name,
)
from brainlapse.cohort.errors import CohortError
from brainlapse.cohort.folders.bids import Listing, list_dataset
from brainlapse.cohort.people.tables import read_table

OF_SIMULATED = ("age", "sex", "diagnosis", "site")


def warn_of_missing_columns(
    tasks: list[dict[str, Any]], datasets: Mapping[str, Mapping[str, Any]]
) -> None:
    """Log what `missing_columns` finds."""
    for sentence in missing_columns(tasks, datasets):
        runtime.log.warning(sentence)


def missing_columns(
    tasks: list[dict[str, Any]], datasets: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """Give a sentence for each column that a task names and none of its data sets has.

    Parameters
    ----------
    tasks, datasets
        These sections of the configuration.
    """
    listings = {name: _listing(settings["bids"]) for name, settings in datasets.items()}
    sentences = []
    for task in tasks:
        names = task["datasets"] or list(datasets)
        sentences += [
            f"tasks: {task['name']}: no table of {', '.join(names)} has a column {column!r}; "
            "correct the name, or the task will be empty"
            for column in (task["target"], *task["covariates"])
            if not any(_has(listings.get(name), column) for name in names)
        ]
    return sentences


def _listing(folder: str | None) -> Listing | None:
    try:
        return None if folder is None else list_dataset(folder)
    except CohortError:  # build_cohort says so
        return None


def _has(listing: Listing | None, column: str) -> bool:
    if column in ("dataset", "role", "session", "subject", "scan"):
        return True
    tables = [OF_SIMULATED] if listing is None else _headers(listing)
    return any(_offers(header, column) for header in tables)


def _headers(listing: Listing) -> Iterator[list[str]]:
    """Give the columns of one table after the other; most tasks end at the first."""
    for path in (*listing.dataset_tables, *listing.subject_tables.values()):
        if path.endswith(".tsv"):
            yield read_table(path).columns


def _offers(header: list[str] | tuple[str, ...], column: str) -> bool:
    plain = {plain_name(name) for name in header}
    if column == "sex":
        return bool(plain & set(SEX_COLUMNS))
    if column == "diagnosis":
        return bool(plain & set(DIAGNOSIS_COLUMNS))
    offered = [name for name in header if name.lower() not in SCAN_COLUMNS]
    return find_named(column, [*offered, "age_years"]) is not None or plain_name(column) in plain
