"""Figures of the scans between two scans: what they look like, and how their volumes run."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainlapse.aging.plan import LATENTS, STRANGERS, VOXELS
from brainlapse.figures import slices, style
from brainlapse.figures.ageing.curves import ordered_regions
from brainlapse.images import load_canonical
from brainlapse.latents import read_latents

NOT_MEASURED = "Linearity (Eq. 2 of MRExtrap) not measured: no held-out subject has two scans."
METHODS = {
    LATENTS: "latents mixed, decoded",
    VOXELS: "voxels mixed, no network",
    STRANGERS: "latents of two people mixed",
}
MOST_REGIONS = 4


@dataclass(frozen=True)
class Interpolants:
    """The scans between the first and the last scan of one person.

    Attributes
    ----------
    subject
        Whose they are.
    alphas
        Weights of the first scan (n,), ascending.
    decoded, mixed
        n volumes (X, Y, Z) each: mixed latents, decoded, and mixed voxels.
    latents
        n latents (C, d, h, w); empty where the latent is no volume.
    affine
        Voxel to world mm, (4, 4).
    """

    subject: str
    alphas: np.ndarray
    decoded: list[np.ndarray]
    mixed: list[np.ndarray]
    latents: np.ndarray
    affine: np.ndarray


def load_interpolants(table: pd.DataFrame, root: Path, latents: Path) -> Interpolants | None:
    """Read the images of the first person; None where there is nobody.

    Parameters
    ----------
    table
        ``interpolations.tsv``; its files are relative to `root`.
    latents
        Folder of the model's latents.
    """
    own = table[table["method"] != STRANGERS]
    if own.empty:
        return None
    own = own[own["subject"] == own["subject"].iloc[0]]
    own = own[own["dataset"] == own["dataset"].iloc[0]].sort_values("alpha")
    volumes = {}
    for method, rows in own.groupby("method"):
        volumes[method], affines = zip(
            *(load_canonical(root / f) for f in rows["file"]), strict=True
        )
    alphas = own.loc[own["method"] == LATENTS, "alpha"].to_numpy(float)
    ends = own.iloc[0]
    mean, index = read_latents(latents)
    chosen = index["dataset"] == ends["dataset"]
    first, last = (
        mean[np.flatnonzero(chosen & (index["scan"] == ends[f"scan_{end}"]))[0]]
        for end in ("first", "last")
    )
    weights = alphas.reshape(-1, 1, 1, 1, 1)
    mixed = weights * first + (1 - weights) * last
    return Interpolants(
        str(ends["subject"]),
        alphas,
        list(volumes[LATENTS]),
        list(volumes[VOXELS]),
        mixed if min(mixed.shape[2:]) > 1 else mixed[:0],
        affines[0],
    )


def plot_interpolants(
    shown: Interpolants | None, centre_mm: tuple[float, float, float], max_change: float
) -> Figure:
    """Plot decoded scans along the way, a latent channel, and what changes beside mixed voxels."""
    if shown is None:
        raise style.NothingToShow(NOT_MEASURED)
    columns = len(shown.alphas)
    words = ["decoded"]
    rows = [[shown.decoded[k] for k in range(columns)]]
    if len(shown.latents):
        words.append("latent, channel 1")
        rows.append([latent[0] for latent in shown.latents])
    start = int(np.argmin(np.abs(shown.alphas - 1)))  # the first scan
    for name, volumes in (("change, decoded", shown.decoded), ("change, voxels", shown.mixed)):
        words.append(name)
        rows.append([volume - volumes[start] for volume in volumes])
    figure, axes = style.new_figure(
        len(rows), columns, width_in=1.6 * columns, height_in=1.7 * len(rows)
    )
    for row, name, volumes in zip(axes, words, rows, strict=True):
        for panel, volume in zip(row, volumes, strict=True):
            _show(panel, volume, name, shown.affine, centre_mm, max_change)
        row[0].text(0, 1.05, name, transform=row[0].transAxes, weight="bold")
    for panel, alpha in zip(axes[0], shown.alphas, strict=True):
        panel.set_title(f"alpha {alpha:g}", loc="right", fontweight="normal")
    return figure


def _show(
    panel: Axes,
    volume: np.ndarray,
    name: str,
    affine: np.ndarray,
    centre_mm: tuple[float, float, float],
    max_change: float,
) -> None:
    if name.startswith("latent"):
        pixels = slices.cut(volume, "coronal", tuple(size // 2 for size in volume.shape))
        style.picture_axes(panel, pixels, cmap="gray")
        return
    index = slices.index_at(affine, volume.shape, np.asarray(centre_mm))
    pixels = slices.strip(volume, affine, index, 1.0, planes=("coronal",))
    if name.startswith("change"):
        style.picture_axes(panel, pixels, cmap="RdBu_r", vmin=-max_change, vmax=max_change)
    else:
        style.picture_axes(panel, pixels, cmap="gray", vmin=0, vmax=1)


def plot_linearity(curves: pd.DataFrame, table: pd.DataFrame) -> Figure:
    """Plot volumes over alpha, a row per way and a column per region; not linear ones in red.

    Parameters
    ----------
    curves
        ``linearity_curves.tsv``.
    table
        ``linearity.tsv``.
    """
    if table.empty or curves.empty:
        raise style.NothingToShow(NOT_MEASURED)
    methods = [name for name in METHODS if name in set(table["method"])]
    regions = ordered_regions(table["region"])[:MOST_REGIONS]
    figure, axes = style.new_figure(
        len(methods), len(regions), width_in=2.8 * len(regions), height_in=2.1 * len(methods)
    )
    for row, method in zip(axes, methods, strict=True):
        for panel, region in zip(row, regions, strict=True):
            mine = table[(table["method"] == method) & (table["region"] == region)]
            steps = curves[(curves["method"] == method) & (curves["region"] == region)]
            _plot_curves(panel, steps, mine)
            panel.set_title(style.label(region))
        row[0].set_ylabel(f"{METHODS[method]}\nvolume [% of the real mean]")
    for panel in axes[-1]:
        panel.set_xlabel("alpha, weight of the first scan")
    return figure


def _plot_curves(panel: Axes, steps: pd.DataFrame, table: pd.DataFrame) -> None:
    """Plot each curve without its bias, and the line between the real volumes."""
    colours = {1.0: style.BLUE, 0.0: style.VERMILION}
    keys = ["dataset", "subject"]
    linear = table.set_index(keys)["is_linear"].to_dict()
    for person, curve in steps.groupby(keys):
        if person not in linear:
            continue
        middle = curve["line_mm3"].mean()
        bias = (curve["volume_mm3"] - curve["line_mm3"]).mean()
        line = 100 * curve["line_mm3"] / middle
        panel.plot(curve["alpha"], line, color=style.INK, lw=0.7, ls=":")
        colour = colours.get(linear[person], style.GREY)
        shown = 100 * (curve["volume_mm3"] - bias) / middle
        panel.plot(curve["alpha"], shown, ".-", color=colour, ms=3, lw=0.9)
