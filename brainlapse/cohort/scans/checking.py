"""Check the files of a data set side by side, and find one usable scan for each session."""

import itertools
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from brainlapse import runtime
from brainlapse.cohort.folders import selection
from brainlapse.cohort.folders.bids import Listing, Session
from brainlapse.cohort.folders.names import RawScan
from brainlapse.cohort.notes import join_notes
from brainlapse.cohort.scans.known import KnownScans, Stamp, scan_stamp
from brainlapse.cohort.settings import CohortSettings
from brainlapse.cohort.validation import Content, check_scan
from brainlapse.rejection import ScanRejected


@dataclass(frozen=True)
class Checked:
    """Outcome for one file: its content (and perhaps a note), or the reason for its rejection."""

    scan: RawScan
    content: Content | None
    reason: str | None = None
    note: str | None = None
    stamp: Stamp = ()


def pick_scans(
    listing: Listing, settings: CohortSettings, known: KnownScans, threads: int
) -> tuple[list[Checked], list[Checked], list[tuple[RawScan, str]]]:
    """Find one usable scan for each session.

    Returns
    -------
    kept, failed, others
        Usable scans, rejected ones, and those not picked with the reason.
    """
    sessions = selection.group_sessions(listing.scans)
    unusable = [scan for scan in (*listing.faults, *listing.scans) if scan.problem]
    failed = [Checked(scan, None, scan.problem) for scan in unusable]
    kept: dict[Session, Checked] = {}
    for turn in itertools.count():
        waiting = {key: group[turn] for key, group in sessions.items() if len(group) > turn}
        waiting = {key: scan for key, scan in waiting.items() if key not in kept}
        if not waiting:
            break
        checked = check_files(waiting.values(), settings, known, threads)
        for key, item in zip(waiting, checked, strict=True):
            if item.content is None:
                failed.append(item)
            else:
                before = sessions[key][turn - 1].name if turn else None
                stepped_in = f"takes the place of {before}, which was rejected" if before else None
                kept[key] = replace(item, note=join_notes(stepped_in, *item.content.notes))
    tried = {item.scan.path for item in (*kept.values(), *failed)}
    picked = {key: item.scan for key, item in kept.items()}
    others = [
        (scan, selection.reason_not_picked(scan, picked.get((scan.subject, scan.session))))
        for scan in listing.scans
        if scan.path not in tried
    ]
    return list(kept.values()), failed, others


def check_files(
    scans: Iterable[RawScan], settings: CohortSettings, known: KnownScans, threads: int
) -> Iterator[Checked]:
    """Validate files side by side; outcomes come in the order of the scans."""
    todo = list(scans)
    # zlib, hashlib and numpy release the interpreter lock, so threads are enough.
    with ThreadPoolExecutor(threads) as pool:
        outcomes = pool.map(lambda scan: _check_file(scan, settings, known), todo)
        for item in runtime.progress(outcomes, "checking scans", len(todo)):
            if item.content is not None:
                known.add(item.scan.path, item.stamp, item.content)
            yield item


def _check_file(scan: RawScan, settings: CohortSettings, known: KnownScans) -> Checked:
    stamp = scan_stamp(scan.path)  # before reading: what is changed meanwhile is read again
    try:
        content = known.find(scan.path, stamp) or check_scan(scan.path, settings)
        return Checked(scan, content, stamp=stamp)
    except ScanRejected as error:
        return Checked(scan, None, str(error))
