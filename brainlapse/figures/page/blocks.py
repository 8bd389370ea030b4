"""The pieces that the page is made of: text, tables, figures, tiles.

A block is a dict with ``kind`` and what the template needs to print it. All text stays plain
here; the template escapes it.
"""

import base64
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brainlapse.figures import style

Block = dict[str, Any]
LONG = 40  # characters of a cell that is broken into lines
MIME = {".png": "image/png", ".jpg": "image/jpeg"}


@dataclass
class Section:
    """One chapter of the page."""

    anchor: str
    title: str
    blocks: list[Block] = field(default_factory=list)


def text(sentence: str) -> Block:
    """Return a paragraph."""
    return {"kind": "text", "text": sentence}


def note(sentence: str) -> Block:
    """Return a sentence that stands for missing content."""
    return {"kind": "note", "text": sentence}


def warning(sentences: list[str]) -> Block:
    """Return sentences that stand out."""
    return {"kind": "warning", "sentences": sentences}


def bullets(sentences: list[str]) -> Block:
    """Return a list of sentences."""
    return {"kind": "bullets", "sentences": sentences}


def link(words: str, address: str, rest: str) -> Block:
    """Return a paragraph that begins with a link to a page beside this one."""
    return {"kind": "link", "words": words, "address": address, "text": rest}


def fold(block: Block, summary: str) -> Block:
    """Return a figure or table folded under a summary; notes stay as they are."""
    return {**block, "folded": summary} if block["kind"] in ("figure", "table") else block


def heading(words: str) -> Block:
    """Return a heading inside a section."""
    return {"kind": "heading", "text": words}


def code(content: str, summary: str) -> Block:
    """Return preformatted text, folded under a summary."""
    return {"kind": "code", "text": content, "summary": summary}


def data_uri(path: str | Path) -> str:
    """Return a picture as a ``data:`` address, so that the page needs no other file."""
    content = base64.b64encode(Path(path).read_bytes()).decode()
    return f"data:{MIME[Path(path).suffix]};base64,{content}"


def figure(path: str | Path, caption: str, alt: str) -> Block:
    """Return an embedded figure, or the sentence that says why there is none."""
    if not Path(path).is_file():
        return note(f"No figure of {alt}: {Path(path).name} was not made.")
    sentence = style.read_note(path)
    if sentence is not None:
        return note(sentence)
    uri = data_uri(path)
    return {"kind": "figure", "uri": uri, "caption": caption, "alt": alt, "folded": ""}


def table(
    frame: pd.DataFrame, caption: str = "", *, empty: str, folded: str = "", limit: int = 20000
) -> Block:
    """Return a sortable table.

    Parameters
    ----------
    frame
        What to print.
    caption
        Sentence above it.
    empty
        Sentence printed in its place when it has no rows.
    folded
        If given, the table is folded under these words.
    limit
        Rows at most; the caption says so when rows are left out.
    """
    if frame.empty:
        return note(empty)
    if len(frame) > limit:
        caption = f"{caption} The first {limit:,} of {len(frame):,} rows.".strip()
    names = [str(name) for name in frame.columns]
    shown = frame.head(limit).itertuples(index=False, name=None)
    return {
        "kind": "table",
        "columns": [style.quantity(name) for name in names],
        "rows": [[cell(value) for value in row] for row in shown],
        "caption": caption,
        "folded": folded,
    }


def cell(value: object) -> dict[str, Any]:
    """Return the words of a table cell, its number for sorting and its class."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return {"text": "n/a", "number": None, "kind": "missing"}
    if isinstance(value, bool | np.bool_):
        return {"text": "yes" if value else "no", "number": int(value), "kind": "word"}
    if hasattr(value, "__float__"):
        number = float(value)  # type: ignore[arg-type]
        return {"text": format_number(number), "number": number, "kind": "number"}
    words = str(value)
    if words in style.STATUS_COLOURS:
        return {"text": words, "number": None, "kind": f"status {words}"}
    return {"text": words, "number": None, "kind": "long" if len(words) > LONG else "word"}


def format_number(value: float) -> str:
    """Return a number with four significant digits, thousands apart."""
    if not math.isfinite(value):
        return str(value)
    if value == round(value) and abs(value) < 1e9:
        return f"{round(value):,}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def tile(value: str, words: str, detail: str = "") -> dict[str, str]:
    """Return one of the numbers on top of the page."""
    return {"value": value, "words": words, "detail": detail}


def tiles(items: Iterable[dict[str, str]]) -> Block:
    """Return the row of numbers on top of the page."""
    return {"kind": "tiles", "items": list(items)}
