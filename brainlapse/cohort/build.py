"""Build the cohort: find, validate, describe and split the scans of all data sets."""

import logging
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from brainlapse.cohort import split
from brainlapse.cohort.columns import SCAN_COLUMNS
from brainlapse.cohort.errors import CohortError
from brainlapse.cohort.folders.bids import Listing, list_dataset
from brainlapse.cohort.folders.names import RawScan
from brainlapse.cohort.notes import join_notes
from brainlapse.cohort.people.coverage import Described, check_required, whole_table_faults
from brainlapse.cohort.people.demographics import Demographics, read_demographics
from brainlapse.cohort.people.describe import describe_sessions, requested_splits
from brainlapse.cohort.scans import duplicates
from brainlapse.cohort.scans.checking import Checked, pick_scans
from brainlapse.cohort.scans.known import KnownScans, check_basis
from brainlapse.cohort.settings import CohortSettings
from brainlapse.cohort.tables import (
    ALTERNATIVE_COLUMNS,
    REJECTED_COLUMNS,
    scan_name,
)
from brainlapse.nifti.files import shown

STAGE = "cohort"
SORTED_BY = ["dataset", "subject", "session", "path"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cohort:
    """The three tables of the stage; columns in `brainlapse.cohort.tables`."""

    scans: pd.DataFrame
    rejected: pd.DataFrame
    alternatives: pd.DataFrame


def build_cohort(
    folders: dict[str, str],
    roles: dict[str, str],
    settings: CohortSettings,
    seed: int,
    threads: int = 1,
    known_scans: str | Path | None = None,
    people: dict[str, str | None] | None = None,
) -> Cohort:
    """Build the cohort of one or several BIDS data sets.

    Parameters
    ----------
    folders, roles
        BIDS folder and role (fit or apply) of each data set, by name.
    seed
        Seed of the split.
    threads
        Files checked at the same time. Each needs up to four times its unpacked size in memory.
    known_scans
        File that keeps what is known of each raw file from run to run; None to read all again.
    people
        Name of the people of each data set; data sets of one name share them.

    Raises
    ------
    CohortError
        A folder is missing or empty, no scan is usable, or the split is empty or contradictory.
    """
    listings = {dataset: list_dataset(folders[dataset]) for dataset in sorted(folders)}
    tables = {dataset: read_demographics(listing) for dataset, listing in listings.items()}
    requested = {
        dataset: split.check_requested(dataset, requested_splits(tables[dataset]))
        for dataset in listings
        if roles[dataset] == "fit"
    }
    described = {
        dataset: describe_sessions(tables[dataset], listing, settings)
        for dataset, listing in listings.items()
    }
    check_tables(tables, described, settings)
    scans, rejected, alternatives = [], [], []
    with KnownScans(known_scans, check_basis(settings)) as known:
        for dataset, listing in listings.items():
            kept, failed, others = pick_scans(listing, settings, known, threads)
            group = (people or {}).get(dataset) or dataset
            rows = [_kept_row(dataset, group, item, described[dataset]) for item in kept]
            for row in rows:
                row["role"] = roles[dataset]
            _report(dataset, listing, tables[dataset], len(rows), len(failed))
            scans += rows
            rejected += [
                _row(dataset, item.scan, reason=item.reason, stage=STAGE) for item in failed
            ]
            alternatives += [_row(dataset, scan, reason=reason) for scan, reason in others]
    scans, doubled, linked = duplicates.reject_duplicates(scans)
    rejected += [{**row, "stage": STAGE} for row in doubled]
    split.assign_sides(scans, requested, linked, settings, seed)
    table = _table(scans, SCAN_COLUMNS)
    refused = _table(rejected, REJECTED_COLUMNS)
    for reason in refused["reason"]:
        log.warning("rejected: %s", reason)
    _check(table, refused, folders)
    return Cohort(table, refused, _table(alternatives, ALTERNATIVE_COLUMNS))


def check_tables(
    tables: dict[str, Demographics], described: dict[str, Described], settings: CohortSettings
) -> None:
    """Say once what whole tables lost, before any scan is opened.

    Raises
    ------
    CohortError
        Too few scans of a data set have what `cohort.require` names.
    """
    for dataset, found in tables.items():
        for sentence in whole_table_faults(dataset, found, described[dataset]):
            log.warning("LOOK AT THE TABLES OF %s", sentence)
    for dataset in tables:
        check_required(dataset, described[dataset], settings.require)


def _kept_row(dataset: str, people: str, item: Checked, described: Described) -> dict:
    assert item.content is not None
    says = described[item.scan.subject, item.scan.session]
    hashes = {"sha256": item.content.sha256, "image_sha256": item.content.image_sha256}
    row = _row(dataset, item.scan, person=f"{people}/{item.scan.subject}", **hashes)
    note = join_notes(item.note, says["note"])
    return {**says, **row, "path": item.scan.path, "note": note}


def _report(dataset: str, listing: Listing, tables: Demographics, kept: int, failed: int) -> None:
    log.info("%s: %d scans, %d rejected", dataset, kept, failed)
    without_scan = set(tables.participants) - {scan.subject for scan in listing.scans}
    if without_scan:
        log.info("%s: %d participants have no T1w scan", dataset, len(without_scan))


def _row(dataset: str, scan: RawScan, **further: str | None) -> dict:
    return {
        "dataset": dataset,
        "subject": shown(scan.subject),
        "session": scan.session and shown(scan.session),
        "scan": shown(scan_name(scan.subject, scan.session)),
        "path": shown(scan.path),
        **further,
    }


def _table(rows: list[dict], columns: tuple[str, ...]) -> pd.DataFrame:
    further = dict.fromkeys(key for row in rows for key in row if key not in columns)
    table = pd.DataFrame(rows, columns=[*columns, *further])
    return table.sort_values(SORTED_BY, na_position="first", kind="stable", ignore_index=True)


def _check(scans: pd.DataFrame, rejected: pd.DataFrame, folders: dict[str, str]) -> None:
    if scans.empty:
        message = (
            f"no usable scan in {', '.join(folders.values())}: all {len(rejected)} were rejected, "
            f"the first because: {rejected['reason'].iloc[0]}"
        )
        raise CohortError(message)
    split.check_no_leakage(scans)
    split.check_sides(scans)
