"""Names of BIDS: what the folder and the file name of a T1w scan say about it."""

import re
from dataclasses import dataclass, field

from brainlapse.nifti.files import shown

EXTENSIONS = (".nii.gz", ".nii")
SUFFIXES = tuple(f"T1w{extension}" for extension in EXTENSIONS)
LETTERS = "[A-Za-z0-9+]"  # BIDS 1.11 allows + in labels
NAME = re.compile(rf"(?P<entities>[a-z]+-{LETTERS}+(_[a-z]+-{LETTERS}+)*)_T1w\.nii(\.gz)?")
LABEL = re.compile(rf"(sub|ses)-{LETTERS}+")


@dataclass(frozen=True)
class RawScan:
    """A T1w file of a BIDS data set, as its folder and name describe it.

    `entities` holds the further entities of the name (acq, run, rec, ...) in their order.
    `problem` is a sentence where it cannot be used; `path` is then that of the file or folder.
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


def parse_name(path: str, subject: str, session: str | None) -> RawScan:
    """Read the entities of a file name and hold them against its folders."""
    name = path.rpartition("/")[2]
    labels = [subject] if session is None else [subject, session]
    match = NAME.fullmatch(name)
    if match is None or not all(LABEL.fullmatch(label) for label in labels):
        problem = (
            f"{shown(path)}: expected a BIDS name such as sub-01_ses-1_run-1_T1w.nii.gz with "
            "labels of letters, digits and + only, found another; rename the file and its folders"
        )
        return RawScan(subject, session, path, problem=problem)
    parts = match["entities"].split("_")
    if parts[: len(labels)] != labels or (session is None and parts[1:2] and _is_session(parts[1])):
        problem = (
            f"{shown(path)}: expected a name that starts with {'_'.join(labels)} like its folders, "
            f"found {name}; whose scan it is cannot be known, rename or move the file"
        )
        return RawScan(subject, session, path, problem=problem)
    entities = dict(part.split("-", 1) for part in parts[len(labels) :])
    return RawScan(subject, session, path, entities)


def _is_session(part: str) -> bool:
    return part.startswith("ses-")
