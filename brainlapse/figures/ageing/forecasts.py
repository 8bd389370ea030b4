"""Figures of the ageing stage: forecast scans, volume trajectories, errors."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainlapse.figures import slices, style
from brainlapse.figures.ageing.curves import (
    NO_FORECASTS,
    judged_errors,
    method_colours,
    ordered_regions,
    plot_regions,
)


@dataclass(frozen=True)
class Forecast:
    """One forecast beside what came true; volumes are (X, Y, Z) in MNI space.

    Attributes
    ----------
    ages_years
        Of the last scan seen and of the true one.
    last, last_rebuilt
        The last scan seen and its reconstruction, from which the forecast change is counted:
        both went through the autoencoder.
    true, forecast
        The later scan and its forecast.
    """

    subject: str
    n_scans_seen: int
    method: str
    ages_years: tuple[float, float]
    last: np.ndarray
    last_rebuilt: np.ndarray
    true: np.ndarray
    forecast: np.ndarray
    affine: np.ndarray


def plot_forecasts(
    examples: list[Forecast], centre_mm: tuple[float, float, float], max_error: float
) -> Figure:
    """Plot scans, forecast, true and forecast change, and error, one example per row."""
    if not examples:
        raise style.NothingToShow(NO_FORECASTS)
    figure, axes = style.new_figure(len(examples), 6, width_in=13, height_in=1.8 * len(examples))
    for row, example in zip(axes, examples, strict=True):
        index = slices.index_at(example.affine, example.true.shape, np.asarray(centre_mm))
        last, rebuilt, true, forecast = (
            slices.strip(volume, example.affine, index, 1.0, planes=("coronal", "axial"))
            for volume in (example.last, example.last_rebuilt, example.true, example.forecast)
        )
        for panel, pixels in zip(row[:3], (last, true, forecast), strict=True):
            style.picture_axes(panel, pixels, cmap="gray", vmin=0, vmax=1)
        for panel, pixels in zip(
            row[3:], (true - last, forecast - rebuilt, forecast - true), strict=True
        ):
            shown = style.picture_axes(
                panel, pixels, cmap="RdBu_r", vmin=-max_error, vmax=max_error
            )
        _name_columns(row, example)
        figure.colorbar(shown, ax=row[5], shrink=0.8, label="intensity")
    return figure


def _name_columns(row: np.ndarray, example: Forecast) -> None:
    last, true = (f"{age_years:.1f} years" for age_years in example.ages_years)
    titles = (
        f"last scan seen, {last}",
        f"true, {true}",
        "forecast",
        "true change",
        "forecast change",
        "forecast - true",
    )
    for panel, title in zip(row, titles, strict=True):
        panel.set_title(title, fontweight="normal")
    scans = "scan" if example.n_scans_seen == 1 else "scans"
    words = f"{example.subject}: {style.label(example.method)}, {example.n_scans_seen} {scans} seen"
    below = row[0].text(0, -0.04, words, transform=row[0].transAxes, va="top", weight="bold")
    below.set_in_layout(False)


def plot_trajectories(table: pd.DataFrame, chosen: pd.DataFrame, max_subjects: int) -> Figure:
    """Plot regional volumes over age, a column per subject and a row per region.

    Parameters
    ----------
    table
        From `trajectories`.
    chosen
        From `choose`: subjects to show.
        If empty, subjects with most real scans are shown without forecasts.
    max_subjects
        Columns at most.
    """
    regions = ordered_regions(table["region"])[:5]
    subjects = _shown_subjects(table, chosen, max_subjects)
    if not regions or not subjects:
        message = "No volume trajectories: no subject has two scans with known age and volumes."
        raise style.NothingToShow(message)
    figure, axes = style.new_figure(
        len(regions), len(subjects), width_in=11.5, height_in=0.6 + 1.55 * len(regions)
    )
    colours = method_colours(table["method"])
    for column, (dataset, subject) in enumerate(subjects):
        mine = table[(table["dataset"] == dataset) & (table["subject"] == subject)]
        for row, region in enumerate(regions):
            _plot_subject(axes[row, column], mine[mine["region"] == region], colours)
            axes[row, 0].set_ylabel(f"{style.label(region)} [ml]")
        axes[0, column].set_title(str(subject))
        axes[-1, column].set_xlabel("age [years]")
    _legend_once(figure, axes)
    return figure


def _shown_subjects(table: pd.DataFrame, chosen: pd.DataFrame, most: int) -> list[tuple[str, str]]:
    if len(chosen):
        return list(chosen[["dataset", "subject"]].itertuples(index=False, name=None))[:most]
    real = table[table["kind"] == "real"]
    visits = real.groupby(["dataset", "subject"])["scan"].nunique()
    return visits[visits > 1].sort_values(ascending=False, kind="stable").index.tolist()[:most]


def _plot_subject(axes: Axes, table: pd.DataFrame, colours: dict[str, str]) -> None:
    for kind, marker, colour in (("real", "o", "#000000"), ("reconstructed", "s", style.SKY)):
        mine = table[table["kind"] == kind].sort_values("age_years")
        axes.plot(
            mine["age_years"],
            mine["volume_mm3"] / 1000,
            f"-{marker}",
            color=colour,
            lw=0.8,
            ms=3.5,
            mfc="none" if kind == "reconstructed" else colour,
            label=kind,
        )
    forecast = table[table["kind"] == "predicted"]
    runs = (
        forecast[["method", "n_scans_seen"]]
        .drop_duplicates()
        .sort_values(["n_scans_seen", "method"])
    )
    for method, seen in zip(runs["method"], runs["n_scans_seen"].astype(int), strict=True):
        mine = (forecast["method"] == method) & (forecast["n_scans_seen"] == seen)
        group = forecast[mine].sort_values("age_years")
        axes.plot(
            group["age_years"],
            group["volume_mm3"] / 1000,
            "--",
            marker="v^D<>"[(seen - 1) % 5],
            color=colours[method],
            lw=0.8,
            ms=4,
            label=f"{style.label(method)}, {seen} seen",
        )


def _legend_once(figure: Figure, axes: np.ndarray) -> None:
    found: dict[str, Artist] = {}
    for panel in axes.ravel():
        for handle, name in zip(*panel.get_legend_handles_labels(), strict=True):
            found.setdefault(name, handle)
    figure.legend(list(found.values()), list(found), loc="outside lower center", ncols=6)


def plot_errors(errors: pd.DataFrame) -> Figure:
    """Plot the error of regional volumes by method and scans seen; bars are medians."""
    known = judged_errors(errors)
    if known.empty:
        raise style.NothingToShow(NO_FORECASTS)
    regions = ordered_regions(known["region"])[:6]
    colours = method_colours(known["method"])
    figure, axes = plot_regions(known, regions, partial(_plot_region_errors, colours=colours))
    _legend_once(figure, axes)
    return figure


def _plot_region_errors(axes: Axes, table: pd.DataFrame, colours: dict[str, str]) -> None:
    seen = sorted(table["n_scans_seen"].dropna().unique())
    width = 0.8 / max(1, len(colours))
    for number, (method, colour) in enumerate(colours.items()):
        for position, count in enumerate(seen):
            mine = table[(table["method"] == method) & (table["n_scans_seen"] == count)]
            x = position - 0.4 + width * (number + 0.5)
            spread = np.linspace(-0.25, 0.25, len(mine)) * width if len(mine) > 1 else [0.0]
            name = style.label(method)
            if len(mine):
                values = mine["abs_error_pct"]
                axes.bar(x, values.median(), width * 0.9, color=colour, alpha=0.45, label=name)
                axes.plot(x + np.asarray(spread), values, ".", color=colour, ms=3)
    axes.set_xticks(range(len(seen)), [f"{count:g}" for count in seen])
    axes.grid(axis="x", visible=False)
