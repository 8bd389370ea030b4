"""The page on which a person goes through the scans: one HTML file, worst scan first."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from brainlapse.figures import style, tables
from brainlapse.figures.page import blocks, pairs
from brainlapse.figures.scans import order, quality

TEMPLATE = Path(__file__).with_name("review.html.j2")
TEXTS = ("dataset", "scan", "status", "reasons", "decision", "note")
PictureKey = tuple[str, str]  # dataset, scan


@dataclass(frozen=True)
class Pictures:
    """Addresses (``data:``) of pictures by dataset and scan.

    Attributes
    ----------
    scans
        Head and brain of a scan, with masks; scans without one are listed all the same.
    brains
        The brain alone, on the scale and grid of all, of visits that were compared.
    """

    scans: Mapping[PictureKey, str]
    brains: Mapping[PictureKey, str]


def build(
    table: pd.DataFrame, visits: pd.DataFrame, pictures: Pictures, title: str, caption: str
) -> str:
    """Return the page.

    Parameters
    ----------
    table
        ``preprocess/qc.tsv``.
    visits
        ``preprocess/visits.tsv``.
    pictures
        What there is of them.
    title
        Title of the report.
    caption
        What the pictures show.
    """
    content = collect(table, visits, pictures)
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        title=title, caption=caption, content=_embed(content), total=len(table)
    )


def collect(table: pd.DataFrame, visits: pd.DataFrame, pictures: Pictures) -> dict[str, Any]:
    """Return what the page's script reads.

    Returns
    -------
    dict
        columns (names in words of the numbers), scans (a list per scan, worst first: the texts,
        then the numbers, None where missing), pictures and brains (address by position in scans),
        visits (see `pairs.collect`), and key, a hash of columns and scans, under which a browser
        keeps decisions not yet downloaded.
    """
    for name in TEXTS:
        if name not in table:
            table = table.assign(**{name: None})
    names = quality.numeric_columns(table)
    plain = table.astype(object).where(table.notna(), None)
    records = [{str(name): row[name] for name in row} for row in plain.to_dict("records")]
    ranked = order.pictured(records, len(records))
    scans = [[row[name] for name in (*TEXTS, *names)] for row in ranked]
    columns = [style.quantity(name) for name in names]
    digest = hashlib.sha256(json.dumps([columns, scans]).encode()).hexdigest()[:16]
    positions = {(row["dataset"], row["scan"]): number for number, row in enumerate(ranked)}
    return {
        "columns": columns,
        "scans": scans,
        "pictures": _at(positions, pictures.scans),
        "brains": _at(positions, pictures.brains),
        "visits": pairs.collect(visits, positions),
        "key": digest,
    }


def _at(positions: Mapping[PictureKey, int], pictures: Mapping[PictureKey, str]) -> dict[int, str]:
    return {positions[key]: uri for key, uri in pictures.items() if key in positions}


def read_pictures(folder: str | Path) -> Pictures:
    """Return the pictures that `write_pictures` wrote into a folder."""
    index = tables.read(Path(folder) / "index.tsv", ("dataset", "scan", "file", "brain_file"))
    scans, brains = (
        {
            (row["dataset"], row["scan"]): blocks.data_uri(Path(folder) / row[column])
            for row in index.dropna(subset=["scan", column]).to_dict("records")
        }
        for column in ("file", "brain_file")
    )
    return Pictures(scans, brains)


def _embed(content: dict[str, Any]) -> str:
    """Return JSON that can stand inside a script element, whatever names it holds."""
    return json.dumps(content, allow_nan=False).replace("<", "\\u003c")
