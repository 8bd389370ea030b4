"""Brains along the components of the latents, and maps of what tasks look at."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainlapse.figures import slices, style

MAIN = ("roc_auc", "mae")  # the metric in the title of a map, by kind of task
Volumes = Mapping[str, np.ndarray]  # (X, Y, Z), MNI space


def plot_walks(
    volumes: Volumes, affine: np.ndarray, variance: pd.DataFrame, centre_mm: np.ndarray, sd: float
) -> Figure:
    """Plot low end, mean, high end and their difference, a row per component.

    Parameters
    ----------
    volumes
        ``mean``, ``pc1_low``, ``pc1_high`` ... as decoded.
    affine
        Voxel to world mm.
    variance
        ``pca_variance.tsv``.
    centre_mm
        Where the brains are cut (3,).
    sd
        How far the ends lie from the mean [standard deviations].
    """
    names = [name.removesuffix("_low") for name in volumes if name.endswith("_low")]
    names.sort(key=lambda name: int(name.removeprefix("pc")))
    if not names:
        message = "No walks along components: none was asked for, or there is none."
        raise style.NothingToShow(message)
    shares = variance.set_index("component")["explained_variance_ratio"]
    index = slices.index_at(affine, volumes["mean"].shape, np.asarray(centre_mm))
    figure, axes = style.new_figure(len(names), 4, width_in=13, height_in=1.75 * len(names))
    for row, name in zip(axes, names, strict=True):
        low, high = volumes[f"{name}_low"], volumes[f"{name}_high"]
        share = f", {100 * shares[name]:.1f} % of variance" if name in shares else ""
        titles = (f"{name.upper()}{share}: -{sd:g} SD", "mean", f"+{sd:g} SD")
        for panel, volume, title in zip(row, (low, volumes["mean"], high), titles, strict=False):
            _picture(panel, volume, affine, index)
            panel.set_title(title)
        _difference(figure, row[3], high - low, affine, index)
        row[3].set_title(f"+{sd:g} SD minus -{sd:g} SD")
    return figure


def plot_directions(
    mean: np.ndarray,
    maps: Volumes,
    affine: np.ndarray,
    titles: Mapping[str, str],
    centre_mm: np.ndarray,
) -> Figure:
    """Plot the map of each task beside the decoded mean latent.

    Parameters
    ----------
    mean
        (X, Y, Z), decoded.
    maps
        What the image gains along the direction of a task, by task.
    titles
        Words above each.
    affine, centre_mm
        As `plot_walks`.
    """
    if not maps:
        message = "No maps of tasks: no task has a linear estimator of two classes or a number."
        raise style.NothingToShow(message)
    index = slices.index_at(affine, mean.shape, np.asarray(centre_mm))
    figure, axes = style.new_figure(len(maps), 2, width_in=8.6, height_in=2.1 * len(maps))
    for row, (task, volume) in zip(axes, maps.items(), strict=True):
        _picture(row[0], mean, affine, index)
        _difference(figure, row[1], volume, affine, index)
        row[0].set_title(titles[task])
    return figure


def task_title(pattern: dict, metrics: pd.DataFrame, sd: float) -> str:
    """Say what rises along a map, and how well the task does: of a task at chance it is noise."""
    words = f"{pattern['task']}: toward {style.quantity(pattern['toward'])}, -{sd:g} to +{sd:g} SD"
    rows = metrics[metrics["metric"].isin(MAIN) & (metrics["autoencoder_split"] == "all")]
    if "estimator" in rows:
        rows = rows[rows["estimator"] == pattern["estimator"]]
    if rows.empty or pd.isna(rows["value"].iloc[0]):
        return words
    row = rows.iloc[0]
    name = {"roc_auc": "ROC AUC", "mae": "mean absolute error"}[row["metric"]]
    ends = f" ({row['ci_low']:.2f} to {row['ci_high']:.2f})" if pd.notna(row["ci_low"]) else ""
    return f"{words}\n{name} {row['value']:.2f}{ends}, without looking {row['baseline']:.2f}"


def _picture(panel: Axes, volume: np.ndarray, affine: np.ndarray, index: tuple[int, ...]) -> None:
    pixels = slices.strip(volume, affine, index, pixel_mm=1.0)
    style.picture_axes(panel, pixels, cmap="gray", vmin=0, vmax=1)


def _difference(
    figure: Figure, panel: Axes, volume: np.ndarray, affine: np.ndarray, index: tuple[int, ...]
) -> None:
    """Show a signed map; its scale ends where a thousandth of the brain's voxels lie beyond."""
    sizes = np.abs(volume[volume != 0])
    end = float(np.percentile(sizes, 99.9)) if sizes.size else 1.0
    pixels = slices.strip(volume, affine, index, pixel_mm=1.0)
    shown = style.picture_axes(panel, pixels, cmap="RdBu_r", vmin=-end, vmax=end)
    figure.colorbar(shown, ax=panel, shrink=0.8, label="intensity (0 to 1)")
