"""Find the T1w scans and tables of a BIDS data set.

A plain walk over `sub-*/[ses-*/]anat/`: `derivatives/`, `sourcedata/` and `code/` are never
entered. Only folders are listed, no file is opened, so it serves while Snakemake parses as well.
docs/adr/0001-bids-reader.md compares it with the BIDS libraries.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from brainlapse.cohort.errors import CohortError

EXTENSIONS = (".nii.gz", ".nii")
SUFFIXES = tuple(f"T1w{extension}" for extension in EXTENSIONS)
DATASET_TABLES = ("participants.tsv", "participants.json", "sessions.tsv", "sessions.json")
NAME = re.compile(r"^(?P<entities>[A-Za-z0-9]+-[A-Za-z0-9]+(_[a-z]+-[A-Za-z0-9]+)*)_T1w\.nii")
LABEL = re.compile(r"^(sub|ses)-[A-Za-z0-9]+$")


@dataclass(frozen=True)
class RawScan:
    """A T1w file of a BIDS data set, as its folder and name describe it.

    `entities` holds the further entities of the name (acq, run, rec, ...) in their order.
    `problem` is a sentence where the name breaks BIDS, so that the file cannot be used.
    """

    subject: str
    session: str | None
    path: str
    entities: dict[str, str] = field(default_factory=dict)
    problem: str | None = None

    @property
    def name(self) -> str:
        """File name."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Listing:
    """What a walk over a data set found: scans, and the tables that describe them."""

    folder: str
    scans: list[RawScan]
    dataset_tables: list[str]
    subject_tables: dict[str, str]  # subject -> sub-*_sessions.tsv


def list_dataset(folder: str | os.PathLike) -> Listing:
    """List T1w scans and tables of one BIDS folder, sorted by path.

    Links are listed even if they point nowhere: validation rejects those by name.

    Raises
    ------
    CohortError
        The folder is missing, or holds no `sub-*/[ses-*/]anat/*_T1w.nii[.gz]`.
    """
    root = os.fspath(folder)
    if not Path(root).is_dir():
        message = f"{root}: expected a BIDS folder, found none; correct datasets.<name>.bids"
        raise CohortError(message)
    scans: list[RawScan] = []
    subject_tables: dict[str, str] = {}
    for subject in _folders(root, "sub-"):
        inside = {entry.name: entry for entry in os.scandir(subject.path)}
        table = inside.get(f"{subject.name}_sessions.tsv")
        if table is not None and table.is_file():
            subject_tables[subject.name] = table.path
        scans += _scans_of(inside, subject.name, None)
        for name in sorted(inside):
            if name.startswith("ses-") and inside[name].is_dir():
                session = {entry.name: entry for entry in os.scandir(inside[name].path)}
                scans += _scans_of(session, subject.name, name)
    if not scans:
        message = (
            f"{root}: expected scans named sub-*/[ses-*/]anat/*_T1w.nii[.gz], found none; "
            "point datasets.<name>.bids at the folder that holds the sub-* folders"
        )
        raise CohortError(message)
    tables = [Path(root, name) for name in DATASET_TABLES]
    return Listing(root, scans, [str(path) for path in tables if path.is_file()], subject_tables)


def list_inputs(folder: str | os.PathLike) -> list[Path]:
    """Existing files that the cohort of one BIDS folder is built from.

    All T1w candidates, participants and sessions tables. Links that point nowhere are left out:
    as inputs of a rule they would stop the workflow, where validation only rejects them.
    """
    listing = list_dataset(folder)
    tables = [*listing.dataset_tables, *listing.subject_tables.values()]
    paths = [*(scan.path for scan in listing.scans), *tables]
    return [path for path in map(Path, paths) if path.is_file()]


def _folders(root: str, prefix: str) -> list[os.DirEntry]:
    entries = os.scandir(root)
    found = [entry for entry in entries if entry.name.startswith(prefix) and entry.is_dir()]
    return sorted(found, key=lambda entry: entry.name)


def _scans_of(
    inside: dict[str, os.DirEntry], subject: str, session: str | None
) -> Iterator[RawScan]:
    if "anat" not in inside or not inside["anat"].is_dir():
        return
    for entry in sorted(os.scandir(inside["anat"].path), key=lambda entry: entry.name):
        if entry.name.endswith(SUFFIXES) and not entry.name.startswith("."):
            yield parse_name(entry.path, subject, session)


def parse_name(path: str, subject: str, session: str | None) -> RawScan:
    """Read the entities of a file name and hold them against its folders."""
    name = path.rpartition("/")[2]
    labels = [subject] if session is None else [subject, session]
    match = NAME.match(name)
    if match is None or not all(LABEL.match(label) for label in labels):
        problem = (
            f"{path}: expected a BIDS name such as sub-01_ses-1_run-1_T1w.nii.gz with labels of "
            "letters and digits only, found another; rename the file and its folders"
        )
        return RawScan(subject, session, path, problem=problem)
    parts = match["entities"].split("_")
    if parts[: len(labels)] != labels or (session is None and parts[1:2] and _is_session(parts[1])):
        problem = (
            f"{path}: expected a name that starts with {'_'.join(labels)} like its folders, "
            f"found {name}; whose scan it is cannot be known, rename or move the file"
        )
        return RawScan(subject, session, path, problem=problem)
    entities = dict(part.split("-", 1) for part in parts[len(labels) :])
    return RawScan(subject, session, path, entities)


def _is_session(part: str) -> bool:
    return part.startswith("ses-")
