"""Figure of the error against the number of scans seen, all else equal."""

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainlapse.figures import style
from brainlapse.figures.ageing.curves import method_colours, ordered_regions, plot_regions

MOST_REGIONS = 6
JUDGED = ("test", "apply")
NOTHING_MATCHED = (
    "No number of scans seen could be compared with another: nobody held out has a visit after "
    "two or more (aging.scans_seen says how many may be seen)."
)


def largest_group(matched: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the split and number of scans so far with the most subjects."""
    if "n_subjects" not in matched:
        return matched.iloc[:0]
    judged = matched[matched["split"].isin(JUDGED)].dropna(subset=["mean_abs_error_pct"])
    if judged.empty:
        return judged
    sizes = judged.groupby(["split", "n_scans_so_far"])["n_subjects"].max()
    largest = sizes[sizes == sizes.max()].index[-1]
    group = pd.MultiIndex.from_frame(judged[["split", "n_scans_so_far"]])
    return judged[group == largest]


def plot_matched(matched: pd.DataFrame) -> Figure:
    """Plot mean errors over the number of scans seen up to one last scan, a panel per region."""
    shown = largest_group(matched)
    shown = shown[shown["method"] != "reconstruction"] if len(shown) else shown
    if shown.empty:
        raise style.NothingToShow(NOTHING_MATCHED)
    regions = ordered_regions(shown["region"])[:MOST_REGIONS]
    colours = method_colours(shown["method"])
    figure, axes = plot_regions(shown, regions, partial(_plot_region, colours=colours))
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=4, frameon=False)
    return figure


def _plot_region(axes: Axes, table: pd.DataFrame, colours: dict[str, str]) -> None:
    numbers = sorted(table["n_scans_seen"].unique())
    shifts = np.linspace(-0.15, 0.15, len(colours))
    for shift, (method, colour) in zip(shifts, colours.items(), strict=True):
        mine = table[table["method"] == method].sort_values("n_scans_seen")
        if mine.empty:
            continue
        x = [numbers.index(number) + shift for number in mine["n_scans_seen"]]
        axes.plot(
            x, mine["mean_abs_error_pct"], "o-", color=colour, ms=3, label=style.label(method)
        )
        known = mine[["low_pct", "high_pct"]].notna().all(axis=1).to_numpy()
        ends = mine.loc[known, ["low_pct", "high_pct"]].to_numpy(dtype=float).T
        axes.vlines(np.asarray(x)[known], *ends, color=colour, lw=0.8, alpha=0.6)
    axes.set_xticks(range(len(numbers)), [f"{number:g}" for number in numbers])
