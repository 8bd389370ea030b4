"""The look of every figure: colours, lines, fonts, saving.

Colours are those of Okabe and Ito (2008), told apart by colour-blind readers.
"""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import cycler
import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from PIL import Image

from brainlapse.runtime import atomic_path

BLUE, VERMILION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
PURPLE, SKY, GREY = "#CC79A7", "#56B4E9", "#8A8F98"
CYCLE = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, "#000000")
SPLIT_COLOURS = {"train": BLUE, "validation": ORANGE, "test": VERMILION, "apply": GREEN}
STATUS_COLOURS = {"accepted": BLUE, "flagged": ORANGE, "rejected": VERMILION}
NOTE_KEY = "Comment"  # PNG text field that holds the sentence of an empty figure
INK = "#22272e"
UNITS = {  # endings of column names
    "years": "years",
    "mm": "mm",
    "mm3": "mm³",
    "cm2": "cm²",
    "ml": "ml",
    "db": "dB",
    "pct": "%",
    "degrees": "degrees",
    "deg": "degrees",
    "seconds": "s",
}

logging.getLogger("fontTools").setLevel(logging.WARNING)  # embeds fonts, and talks about it
matplotlib.use("Agg")
matplotlib.rcParams.update(
    {
        "font.family": "DejaVu Sans",
        "font.size": 8,
        "pdf.fonttype": 42,  # text stays text in drawing programs
        "text.parse_math": False,  # a $ in a name from outside is a dollar sign
        "axes.titlesize": 8.5,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.labelsize": 8,
        "axes.linewidth": 0.6,
        "axes.edgecolor": "#5b626c",
        "axes.labelcolor": INK,
        "text.color": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.prop_cycle": cycler.cycler(color=CYCLE),
        "axes.grid": True,
        "grid.color": "#e6e8eb",
        "grid.linewidth": 0.5,
        "axes.axisbelow": True,
        "lines.linewidth": 1.1,
        "lines.markersize": 4,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "xtick.major.size": 2.5,
        "ytick.major.size": 2.5,
        "legend.frameon": False,
        "legend.fontsize": 7.5,
    }
)


class NothingToShow(Exception):
    """A figure has no data; the message is the sentence to print in its place."""


def new_figure(
    rows: int = 1, columns: int = 1, *, width_in: float = 9.6, height_in: float = 3.0
) -> tuple[Figure, np.ndarray]:
    """Return a figure and its axes, always a (rows, columns) array."""
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def draw(
    path: str | Path, plot: Callable[..., Figure], *args: object, dots_per_inch: int = 110
) -> None:
    """Write the figure that `plot(*args)` returns, or the sentence of its `NothingToShow`.

    A figure is written as PNG for the page and, beside it, as PDF for papers.
    """
    vector = Path(path).with_suffix(".pdf")
    vector.unlink(missing_ok=True)
    try:
        figure = plot(*args)
        text = {}
    except NothingToShow as reason:
        figure, text = _note_figure(str(reason)), {NOTE_KEY: str(reason)}
    if not text:
        with atomic_path(vector) as temporary:
            figure.savefig(temporary, dpi=300, format="pdf", metadata={"CreationDate": None})
    with atomic_path(path) as temporary:
        figure.savefig(
            temporary, dpi=dots_per_inch, format="png", metadata={"Software": None, **text}
        )


def read_note(path: str | Path) -> str | None:
    """Return the sentence of a figure without data, None for a figure."""
    with Image.open(path) as image:
        return image.info.get(NOTE_KEY)


def _note_figure(sentence: str) -> Figure:
    figure = Figure(figsize=(9.6, 0.5))
    figure.text(0.01, 0.5, sentence, va="center", color="#5b626c", style="italic", wrap=True)
    return figure


def colour_map(values: Iterable[object], known: dict[str, str] | None = None) -> dict[str, str]:
    """Give every distinct value its colour, in sorted order; `known` ones keep theirs."""
    known, values = known or {}, list(values)
    others = sorted({str(value) for value in values} - set(known))
    free = [colour for colour in CYCLE if colour not in known.values()] or list(CYCLE)
    named = {value: free[i % len(free)] for i, value in enumerate(others)}
    return {**{k: v for k, v in known.items() if k in {str(x) for x in values}}, **named}


def label(name: str) -> str:
    """Return a column or region name as words: ``grey_matter`` becomes ``grey matter``."""
    return str(name).replace("_", " ")


def quantity(name: str) -> str:
    """Return a column name as words with its unit: ``age_years`` becomes ``age [years]``."""
    words, _, unit = str(name).rpartition("_")
    if words and unit in UNITS:
        return f"{label(words)} [{UNITS[unit]}]"
    return label(name)


def picture_axes(axes: Axes, pixels: np.ndarray, **options: Any) -> AxesImage:
    """Show a slice without ticks, grid or frame."""
    axes.set_axis_off()
    return axes.imshow(pixels, interpolation="bilinear", **options)


def hide(axes: Iterable[Axes]) -> None:
    """Remove unused axes of a grid."""
    for unused in axes:
        unused.set_axis_off()
