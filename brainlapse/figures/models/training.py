"""Loss curves."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainlapse.figures import style

SIDES = {"train": style.BLUE, "validation": style.VERMILION}
TIME_COLUMNS = ("epoch", "step", "seconds")
LOG_SPREAD = 20  # a term that falls by more than this is drawn on a logarithmic axis


def terms(history: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Group the columns of ``history.tsv``: {term: {side: column}}; a lone column is ``train``."""
    grouped: dict[str, dict[str, str]] = {}
    for column in history.columns:
        side, _, term = column.partition("_")
        if side not in SIDES:
            side, term = "train", column
        numeric = pd.api.types.is_numeric_dtype(history[column])
        if column in TIME_COLUMNS or not numeric or history[column].isna().all():
            continue
        grouped.setdefault(term, {})[side] = column
    return dict(sorted(grouped.items(), key=lambda item: (item[0] == "lr", "total" not in item[0])))


def plot_history(history: pd.DataFrame) -> Figure:
    """Plot each term of ``history.tsv`` over epochs, training and validation together."""
    grouped = terms(history)
    if history.empty or not grouped:
        message = "No loss curves: the history of this autoencoder is empty."
        raise style.NothingToShow(message)
    columns = min(4, len(grouped))
    rows = -(-len(grouped) // columns)
    figure, axes = style.new_figure(rows, columns, height_in=0.3 + 1.9 * rows)
    flat = axes.ravel()
    for panel, (term, sides) in zip(flat, grouped.items(), strict=False):
        _plot_term(panel, history, term, sides)
    style.hide(flat[len(grouped) :])
    with_both = next((p for p, s in zip(flat, grouped.values(), strict=False) if len(s) > 1), None)
    if with_both is not None:
        with_both.legend()
    return figure


def _plot_term(axes: Axes, history: pd.DataFrame, term: str, sides: dict[str, str]) -> None:
    x = history["epoch"] if "epoch" in history else pd.Series(range(len(history)))
    for side, column in sides.items():
        known = history[column].notna()
        marker = "o" if known.sum() < 2 else None
        axes.plot(
            x[known], history.loc[known, column], marker=marker, color=SIDES[side], label=side
        )
    values = history[list(sides.values())].to_numpy(dtype=float)
    low, high = np.nanmin(values), np.nanmax(values)
    if low > 0 and high / low > LOG_SPREAD:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")  # powers as 10^x would need the maths parser
        axes.yaxis.set_minor_formatter("")
    axes.set(
        title="learning rate" if term == "lr" else style.label(term),
        xlabel="epoch",
        ylabel=_unit(term),
    )


def _unit(term: str) -> str:
    if term.endswith("_db"):
        return "dB"
    return "step size" if term == "lr" else "value"


def summarise(history: pd.DataFrame) -> str:
    """Return one sentence on the length of the training."""
    if history.empty:
        return "Nothing was trained."
    steps_known = "step" in history and history["step"].notna().any()
    if steps_known and history["step"].max() == 0:
        return "Fitted in closed form, without training."
    parts = [f"{len(history)} epochs"]
    if steps_known:
        parts.append(f"{int(history['step'].max()):,} steps")
    if "seconds" in history and history["seconds"].notna().any():
        parts.append(f"{_total_seconds(history['seconds']) / 60:.1f} minutes")
    return "Trained for " + ", ".join(parts) + "."


def _total_seconds(seconds: pd.Series) -> float:
    known = seconds.dropna()
    cumulative = known.is_monotonic_increasing and len(known) > 1
    return float(known.max() if cumulative else known.sum())
