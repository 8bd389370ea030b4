"""Labels of a BIDS folder, to name the people of a table as the folder does."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from brainlapse.importers.reading import ImportFailed


@dataclass(frozen=True)
class Labels:
    """Subjects of a BIDS folder and the sessions of each; empty where no folder is given."""

    sessions: dict[str, list[str]]

    @property
    def known(self) -> bool:
        """Whether there is a folder to go by."""
        return bool(self.sessions)


def read_labels(folder: str | Path | None) -> Labels:
    """List `sub-*` and `ses-*` folders.

    Raises
    ------
    ImportFailed
        The folder holds no subject.
    """
    if folder is None:
        return Labels({})
    found = {
        subject.name: sorted(path.name for path in subject.glob("ses-*") if path.is_dir())
        for subject in sorted(Path(folder).glob("sub-*"))
        if subject.is_dir()
    }
    if not found:
        message = f"{folder}: expected a BIDS folder with sub-* folders, found none"
        raise ImportFailed(message)
    return Labels(found)


def name_subjects(
    identifiers: pd.Series, labels: Labels, key: Callable[[str], str | None], default: str
) -> pd.Series:
    """Label of each person.

    Parameters
    ----------
    identifiers
        As the table has them.
    key
        Gives what an identifier and a label have in common, or None.
    default
        Label where no folder is given; `{}` stands for the key.

    Returns
    -------
    pandas.Series
        `sub-...`; missing for people whom the folder does not know.
    """
    keys = identifiers.map(key, na_action="ignore")
    if not labels.known:
        return keys.map(default.format, na_action="ignore")
    by_key: dict[str | None, list[str]] = {}
    for subject in labels.sessions:
        by_key.setdefault(key(subject.removeprefix("sub-")), []).append(subject)
    only = {found: names[0] for found, names in by_key.items() if found and len(names) == 1}
    return keys.map(only)


def digits(pattern: str) -> Callable[[str], str | None]:
    """Make a key of the number that a pattern's group finds, without leading zeros."""

    def key(text: str) -> str | None:
        match = re.search(pattern, text, re.IGNORECASE)
        return None if match is None else (match[1].lstrip("0") or "0")

    return key
