"""The page on which a person goes through the scans: one HTML file, worst scan first."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from brainlapse.figures import style, tables
from brainlapse.figures.page import blocks
from brainlapse.figures.scans import order, quality

TEMPLATE = Path(__file__).with_name("review.html.j2")
TEXTS = ("dataset", "scan", "status", "reasons", "decision", "note")
PictureKey = tuple[str, str]  # dataset, scan


def build(table: pd.DataFrame, pictures: Mapping[PictureKey, str], title: str, caption: str) -> str:
    """Return the page.

    Parameters
    ----------
    table
        ``preprocess/qc.tsv``.
    pictures
        Addresses (``data:``) by dataset and scan; scans without one are listed all the same.
    title
        Title of the report.
    caption
        What the pictures show.
    """
    content = collect(table, pictures)
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        title=title, caption=caption, content=_embed(content), total=len(table)
    )


def collect(table: pd.DataFrame, pictures: Mapping[PictureKey, str]) -> dict[str, Any]:
    """Return what the page's script reads.

    Returns
    -------
    dict
        columns (names in words of the numbers), scans (a list per scan, worst first: the texts,
        then the numbers, None where missing), pictures (address by position in scans), and key, a
        hash of all but the pictures, under which a browser keeps decisions not yet downloaded.
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
    found = {
        number: pictures[row["dataset"], row["scan"]]
        for number, row in enumerate(ranked)
        if (row["dataset"], row["scan"]) in pictures
    }
    return {"columns": columns, "scans": scans, "pictures": found, "key": digest}


def read_pictures(folder: str | Path) -> dict[PictureKey, str]:
    """Return the addresses of the pictures that `write_pictures` wrote into a folder."""
    index = tables.read(Path(folder) / "index.tsv", ("dataset", "scan", "file"))
    return {
        (row["dataset"], row["scan"]): blocks.data_uri(Path(folder) / row["file"])
        for row in index.dropna(subset=["scan", "file"]).to_dict("records")
    }


def _embed(content: dict[str, Any]) -> str:
    """Return JSON that can stand inside a script element, whatever names it holds."""
    return json.dumps(content, allow_nan=False).replace("<", "\\u003c")
