"""Find the T1w scans and tables of a BIDS data set.

A plain walk over `sub-*/[ses-*/]anat/`: `derivatives/`, `sourcedata/` and `code/` are never
entered. Only folders are listed, no file is opened, so it serves while Snakemake parses as well.
A folder that cannot be read, or gives no scan, is named and costs itself only.
docs/adr/0001-bids-reader.md compares the walk with the BIDS libraries.
"""

import errno
import os
from dataclasses import dataclass, field
from pathlib import Path

from brainlapse.cohort.errors import CohortError
from brainlapse.cohort.folders.lookalikes import found_instead, looks_like_t1
from brainlapse.cohort.folders.names import SUFFIXES, RawScan, parse_name
from brainlapse.nifti.files import raise_if_machine, shown

DATASET_TABLES = ("participants.tsv", "participants.json", "sessions.tsv", "sessions.json")

Session = tuple[str, str | None]  # subject, session
Entries = dict[str, os.DirEntry]


@dataclass
class Listing:
    """What a walk over a data set found: scans, and the tables that describe them.

    `faults` are folders that gave no scan; their `problem` says why.
    """

    folder: str
    scans: list[RawScan] = field(default_factory=list)
    faults: list[RawScan] = field(default_factory=list)
    dataset_tables: list[str] = field(default_factory=list)
    odd_tables: list[str] = field(default_factory=list)  # participants.xlsx and the like
    subject_tables: dict[str, str] = field(default_factory=dict)  # sub-*_sessions.tsv
    scans_tables: dict[Session, str] = field(default_factory=dict)  # sub-*[_ses-*]_scans.tsv


def list_dataset(folder: str | os.PathLike) -> Listing:
    """List T1w scans and tables of one BIDS folder, sorted by path.

    Links are listed even if they point nowhere: validation rejects those by name.

    Raises
    ------
    CohortError
        The folder is missing, cannot be read, or holds no
        `sub-*/[ses-*/]anat/*_T1w.nii[.gz]`.
    """
    found = Listing(os.fspath(folder))
    try:
        entries = _list(found.folder)
    except OSError as error:
        message = (
            f"{found.folder}: expected a BIDS folder, found none ({error.strerror}); "
            "correct datasets.<name>.bids"
        )
        raise CohortError(message) from error
    found.dataset_tables = [entries[name].path for name in DATASET_TABLES if name in entries]
    found.odd_tables = [
        name
        for name in entries
        if name.lower().startswith("participants") and name not in DATASET_TABLES
    ]
    for name in entries:
        if name.startswith("sub-"):
            _walk_subject(found, entries[name])
    if not found.scans:
        first = f"; the first folder says: {found.faults[0].problem}" if found.faults else ""
        message = (
            f"{found.folder}: expected scans named sub-*/[ses-*/]anat/*_T1w.nii[.gz], found none; "
            f"point datasets.<name>.bids at the folder that holds the sub-* folders{first}"
        )
        raise CohortError(message)
    return found


def _walk_subject(found: Listing, entry: os.DirEntry) -> None:
    subject = entry.name
    before = len(found.scans), len(found.faults)
    inside = _enter(found, entry, subject, None)
    if inside is None:
        return
    if f"{subject}_sessions.tsv" in inside:
        found.subject_tables[subject] = inside[f"{subject}_sessions.tsv"].path
    _walk_session(found, inside, subject, None)
    for name in inside:
        if name.startswith("ses-"):
            session = _enter(found, inside[name], subject, name)
            if session is not None:
                _walk_session(found, session, subject, name)
    if (len(found.scans), len(found.faults)) == before:
        found.faults.append(_without_scan(entry.path, subject, None))


def _walk_session(found: Listing, inside: Entries, subject: str, session: str | None) -> None:
    table = "_".join(label for label in (subject, session, "scans.tsv") if label)
    if table in inside:
        found.scans_tables[subject, session] = inside[table].path
    anat = _enter(found, inside["anat"], subject, session) if "anat" in inside else None
    if anat is None:
        return
    names = [name for name in anat if name.endswith(SUFFIXES) and not name.startswith(".")]
    found.scans += [parse_name(anat[name].path, subject, session) for name in names]
    if not names and any(looks_like_t1(name) for name in anat):
        folder = anat[next(iter(anat))].path.rpartition("/")[0]
        found.faults.append(_without_scan(folder, subject, session))


def _enter(found: Listing, entry: os.DirEntry, subject: str, session: str | None) -> Entries | None:
    """List a folder; None for a file, and for a folder that cannot be read, which is noted."""
    try:
        if not entry.is_dir() and not entry.is_symlink():
            return None
        return _list(entry.path)
    except NotADirectoryError:
        return None  # a link to a file
    except OSError as error:
        raise_if_machine(error)
        problem = (
            f"{shown(entry.path)}: expected a folder that can be read, found: "
            f"{_reason(entry, error)}; mend or remove it"
        )
        found.faults.append(RawScan(subject, session, entry.path, problem=problem))
        return None


def _list(folder: str) -> Entries:
    with os.scandir(folder) as entries:
        return {entry.name: entry for entry in sorted(entries, key=lambda entry: entry.name)}


def _reason(entry: os.DirEntry, error: OSError) -> str:
    if error.errno in (errno.ELOOP, errno.ENOENT) and entry.is_symlink():
        target = shown(Path(entry.path).readlink())
        loop = error.errno == errno.ELOOP
        return f"a link to {target}, which {'leads to itself' if loop else 'does not exist'}"
    return str(error.strerror)


def _without_scan(folder: str, subject: str, session: str | None) -> RawScan:
    problem = (
        f"{shown(folder)}: expected a scan named "
        f"{'_'.join(map(shown, filter(None, (subject, session))))}_T1w.nii.gz in anat/, found "
        f"{found_instead(folder)}; rename or convert what is a T1w scan"
    )
    return RawScan(subject, session, folder, problem=problem)
