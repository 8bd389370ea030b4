"""Build the cohort: find, validate, describe and split the scans of all data sets."""

import itertools
import logging
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pandas as pd

from brainlapse import runtime
from brainlapse.cohort import duplicates, selection, split
from brainlapse.cohort.bids import Listing, RawScan, list_dataset
from brainlapse.cohort.demographics import (
    Demographics,
    describe_scan,
    join_notes,
    read_demographics,
    requested_splits,
)
from brainlapse.cohort.errors import CohortError
from brainlapse.cohort.settings import CohortSettings
from brainlapse.cohort.tables import (
    ALTERNATIVE_COLUMNS,
    REJECTED_COLUMNS,
    SCAN_COLUMNS,
    scan_name,
)
from brainlapse.cohort.validation import check_scan
from brainlapse.rejection import ScanRejected

STAGE = "cohort"
SORTED_BY = ["dataset", "subject", "session", "path"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cohort:
    """The three tables of the stage; columns in `brainlapse.cohort.tables`."""

    scans: pd.DataFrame
    rejected: pd.DataFrame
    alternatives: pd.DataFrame


@dataclass(frozen=True)
class Checked:
    """Outcome for one file: a hash (and perhaps a note), or the reason for its rejection."""

    scan: RawScan
    sha256: str | None
    reason: str | None = None
    note: str | None = None


def build_cohort(
    folders: dict[str, str],
    roles: dict[str, str],
    settings: CohortSettings,
    seed: int,
    threads: int = 1,
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
    scans, rejected, alternatives = [], [], []
    for dataset, listing in listings.items():
        kept, failed, others = pick_scans(listing, settings, threads)
        rows = _describe(dataset, tables[dataset], kept, roles[dataset], settings)
        _report(dataset, listing, tables[dataset], len(rows), len(failed))
        scans += rows
        rejected += [_row(dataset, item.scan, reason=item.reason, stage=STAGE) for item in failed]
        alternatives += [_row(dataset, scan, reason=reason) for scan, reason in others]
    scans, doubled, linked = duplicates.reject_duplicates(scans)
    rejected += [{**row, "stage": STAGE} for row in doubled]
    _split(scans, requested, linked, settings, seed)
    table = _table(scans, SCAN_COLUMNS)
    refused = _table(rejected, REJECTED_COLUMNS)
    for reason in refused["reason"]:
        log.warning("rejected: %s", reason)
    _check(table, refused, folders)
    return Cohort(table, refused, _table(alternatives, ALTERNATIVE_COLUMNS))


def pick_scans(
    listing: Listing, settings: CohortSettings, threads: int
) -> tuple[list[Checked], list[Checked], list[tuple[RawScan, str]]]:
    """Find one usable scan for each session.

    Returns
    -------
    kept, failed, others
        Usable scans, rejected ones, and those not picked with the reason.
    """
    sessions = selection.group_sessions(listing.scans)
    failed = [Checked(scan, None, scan.problem) for scan in listing.scans if scan.problem]
    kept: dict[selection.Session, Checked] = {}
    for turn in itertools.count():
        waiting = {key: group[turn] for key, group in sessions.items() if len(group) > turn}
        waiting = {key: scan for key, scan in waiting.items() if key not in kept}
        if not waiting:
            break
        checked = check_files(waiting.values(), settings, threads)
        for key, item in zip(waiting, checked, strict=True):
            if item.sha256 is None:
                failed.append(item)
            else:
                before = sessions[key][turn - 1].name if turn else None
                note = f"takes the place of {before}, which was rejected" if before else None
                kept[key] = replace(item, note=note)
    tried = {item.scan.path for item in (*kept.values(), *failed)}
    picked = {key: item.scan for key, item in kept.items()}
    others = [
        (scan, selection.reason_not_picked(scan, picked.get((scan.subject, scan.session))))
        for scan in listing.scans
        if scan.path not in tried
    ]
    return list(kept.values()), failed, others


def check_files(
    scans: Iterable[RawScan], settings: CohortSettings, threads: int
) -> Iterator[Checked]:
    """Validate files side by side; outcomes come in the order of the scans."""
    todo = list(scans)
    # zlib, hashlib and numpy release the interpreter lock, so threads are enough.
    with ThreadPoolExecutor(threads) as pool:
        outcomes = pool.map(lambda scan: _check_file(scan, settings), todo)
        yield from runtime.progress(outcomes, "checking scans", len(todo))


def _check_file(scan: RawScan, settings: CohortSettings) -> Checked:
    try:
        return Checked(scan, check_scan(scan.path, settings))
    except ScanRejected as error:
        return Checked(scan, None, str(error))


def _describe(
    dataset: str, tables: Demographics, kept: list[Checked], role: str, settings: CohortSettings
) -> list[dict]:
    rows = []
    for item in kept:
        described = describe_scan(tables, item.scan.subject, item.scan.session, settings)
        described["note"] = join_notes(item.note, described["note"])
        rows.append({**described, **_row(dataset, item.scan, role=role, sha256=item.sha256)})
    return rows


def _report(dataset: str, listing: Listing, tables: Demographics, kept: int, failed: int) -> None:
    log.info("%s: %d scans, %d rejected", dataset, kept, failed)
    without_scan = set(tables.participants) - {scan.subject for scan in listing.scans}
    if without_scan:
        log.info("%s: %d participants have no T1w scan", dataset, len(without_scan))


def _split(
    scans: list[dict],
    requested: dict[str, dict[str, str]],
    linked: dict[duplicates.Subject, duplicates.Subject],
    settings: CohortSettings,
    seed: int,
) -> None:
    for row in scans:
        own = row["dataset"], row["subject"]
        leader = linked.get(own, own)
        side = split.split_subject(seed, leader[1], settings)
        for dataset, subject in (leader, own):
            side = requested.get(dataset, {}).get(subject, side)
        row["split"] = side if row["role"] == "fit" else split.APPLY


def _row(dataset: str, scan: RawScan, **further: str | None) -> dict:
    return {
        "dataset": dataset,
        "subject": scan.subject,
        "session": scan.session,
        "scan": scan_name(scan.subject, scan.session),
        "path": scan.path,
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
