"""Write the tables of a BIDS folder."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from brainlapse import runtime
from brainlapse.importers.reading import ImportFailed

SEX_MEANING = {"Description": "sex", "Levels": {"M": "male", "F": "female"}}


@dataclass(frozen=True)
class Imported:
    """Tables for a BIDS folder.

    `participants` has a column participant_id, `sessions`, where there are any, participant_id and
    session_id; `meanings` describe columns: name to description and, perhaps, units.
    """

    participants: pd.DataFrame
    sessions: pd.DataFrame | None = None
    meanings: dict[str, dict] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def write_tables(imported: Imported, folder: str | Path, replace: bool) -> list[Path]:
    """Write participants.tsv, sessions.tsv and the JSON files that describe them.

    Raises
    ------
    ImportFailed
        A file is there already and is not to be replaced.
    """
    tables = {"participants": imported.participants, "sessions": imported.sessions}
    wanted = {name: table for name, table in tables.items() if table is not None}
    paths = [Path(folder, f"{name}{end}") for name in wanted for end in (".tsv", ".json")]
    there = [str(path) for path in paths if path.exists()]
    if there and not replace:
        message = f"{', '.join(there)}: there already; move them away, or give --replace"
        raise ImportFailed(message)
    for name, table in wanted.items():
        meanings = {key: text for key, text in imported.meanings.items() if key in table}
        runtime.write_table(Path(folder, f"{name}.tsv"), plain(table))
        with runtime.atomic_path(Path(folder, f"{name}.json")) as temporary:
            temporary.write_text(json.dumps(meanings, indent=2) + "\n", encoding="utf-8")
    return paths


def plain(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with cells that need no quotes, which BIDS' tables do not know."""
    texts = table.select_dtypes(["object", "string"])
    cleaned = texts.apply(lambda column: column.str.replace(r"[\t\r\n]+", " ", regex=True))
    return table.assign(**cleaned).round(4)


def agreeing(table: pd.DataFrame, key: str) -> tuple[pd.DataFrame, list[str]]:
    """One row for each key; values in which several rows of one differ are missing, and named."""
    rows, notes = [], []
    for name, group in table.groupby(key, sort=True):
        unique = {column: group[column].dropna().unique() for column in table}
        differing = [column for column, found in unique.items() if len(found) > 1]
        rows.append({column: f[0] if len(f) == 1 else None for column, f in unique.items()})
        if differing:
            notes.append(
                f"{name} stands {len(group)} times with different {', '.join(map(str, differing))}"
            )
    return pd.DataFrame(rows, columns=table.columns), notes
