"""Scans beside their reconstructions."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from brainlapse.figures import slices, style

SPLIT_PREFERENCE = ("test", "validation", "apply", "train")
METRICS = ("ssim", "psnr_db", "mae", "mse", "perceptual")


@dataclass(frozen=True)
class Example:
    """A scan and its reconstruction, both (X, Y, Z) in MNI space, normalised intensity."""

    title: str
    scores: str
    scan: np.ndarray
    reconstruction: np.ndarray
    affine: np.ndarray


def judged_split(table: pd.DataFrame) -> str | None:
    """Return the split on which reconstructions are judged: test if there is one."""
    present = set(table.dropna(subset=["ssim"])["split"])
    return next((split for split in SPLIT_PREFERENCE if split in present), None)


def choose(table: pd.DataFrame) -> pd.DataFrame:
    """Return the best, median and worst row by SSIM of the judged split, with their ``rank``."""
    split = judged_split(table)
    if split is None:
        return table.iloc[:0].assign(rank="")
    ordered = table[table["split"] == split].dropna(subset=["ssim"])
    ordered = ordered.sort_values(["ssim", "scan"], ascending=False).reset_index(drop=True)
    picks = {0: "best", len(ordered) // 2: "median", len(ordered) - 1: "worst"}
    return ordered.loc[list(picks)].assign(rank=list(picks.values()))


def plot_examples(
    examples: list[Example], centre_mm: tuple[float, float, float], max_error: float
) -> Figure:
    """Plot scan, reconstruction and signed error in three planes, one example per row."""
    if not examples:
        message = "No reconstructions: none was scored."
        raise style.NothingToShow(message)
    figure, axes = style.new_figure(len(examples), 3, width_in=11, height_in=1.75 * len(examples))
    for row, example in zip(axes, examples, strict=True):
        index = slices.index_at(example.affine, example.scan.shape, np.asarray(centre_mm))
        real, made = (
            slices.strip(volume, example.affine, index, pixel_mm=1.0)
            for volume in (example.scan, example.reconstruction)
        )
        style.picture_axes(row[0], real, cmap="gray", vmin=0, vmax=1)
        style.picture_axes(row[1], made, cmap="gray", vmin=0, vmax=1)
        error = style.picture_axes(
            row[2], made - real, cmap="RdBu_r", vmin=-max_error, vmax=max_error
        )
        row[0].set_title(example.title)
        row[1].set_title(f"reconstruction: {example.scores}")
        row[2].set_title("reconstruction - scan")
        figure.colorbar(error, ax=row[2], shrink=0.8, label="intensity (0 to 1)")
    return figure


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """Return mean and standard deviation of every metric, by split."""
    names = [n for n in table.columns if n.removesuffix("_whole") in METRICS]
    rows = []
    for split, group in table.groupby("split"):
        cells = {
            name: f"{_number(group[name].mean())} ± {group[name].std(ddof=0):.2g}" for name in names
        }
        rows.append({"split": split, "scans": len(group), **cells})
    return pd.DataFrame(rows)


def _number(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 10 else f"{value:.1f}"
