"""Requested forecasts as a strip and as moving pictures, from the last scan to the oldest age."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont

from brainlapse.cohort.tables import BRAIN, scan_path
from brainlapse.figures import slices, style
from brainlapse.images import load_canonical
from brainlapse.runtime import atomic_path

PLAN_COLUMNS = (
    *("dataset", "subject", "last_session"),
    *("last_age_years", "target_age_years", "file"),
)
MOST_PEOPLE = 12  # of the strip
FRAME_MS = 900
PIXEL_MM = 0.8
LINE_PIXELS = 28  # room for the words above a frame
NOTHING = "No forecasts: no request could be answered, see refused.tsv."


@dataclass(frozen=True)
class Strip:
    """One person: ages and volumes (X, Y, Z) in MNI space, the last real scan first."""

    dataset: str
    subject: str
    ages_years: list[float]
    volumes: list[np.ndarray]
    affine: np.ndarray


def load_strips(plan: pd.DataFrame, folder: Path, root: Path) -> Iterator[Strip]:
    """Read the images of the people of a plan, one person at a time.

    Parameters
    ----------
    plan
        ``predictions.tsv`` of the requests.
    folder
        Of their images.
    root
        Output folder of the run.
    """
    for (dataset, subject), rows in plan.groupby(["dataset", "subject"], sort=True):
        rows = rows.sort_values("target_age_years")
        first = rows.iloc[0]
        path = scan_path(str(dataset), str(subject), first["last_session"])
        last, affine = load_canonical(f"{root}/preprocess/{path}{BRAIN}")
        forecasts = [load_canonical(folder / file)[0] for file in rows["file"]]
        ages = [float(first["last_age_years"]), *rows["target_age_years"].astype(float)]
        yield Strip(str(dataset), str(subject), ages, [last, *forecasts], affine)


def plot_strips(
    strips: list[Strip], centre_mm: tuple[float, float, float], max_change: float
) -> Figure:
    """Plot scans, and under them the change from the first forecast to each later one."""
    if not strips:
        raise style.NothingToShow(NOTHING)
    columns = max(len(strip.volumes) for strip in strips)
    figure, axes = style.new_figure(
        2 * len(strips), columns, width_in=2.2 * columns, height_in=3.4 * len(strips)
    )
    for row, strip in enumerate(strips):
        upper, lower = axes[2 * row], axes[2 * row + 1]
        index = slices.index_at(strip.affine, strip.volumes[0].shape, np.asarray(centre_mm))
        for number, panel in enumerate(upper):
            below = lower[number]
            if number >= len(strip.volumes):
                panel.axis("off")
                below.axis("off")
                continue
            volume = strip.volumes[number]
            shown = slices.strip(volume, strip.affine, index, 1.0, planes=("coronal",))
            style.picture_axes(panel, shown, cmap="gray", vmin=0, vmax=1)
            kind = "forecast" if number else f"{strip.subject}: last scan"
            panel.set_title(f"{kind}, {strip.ages_years[number]:.1f} years", fontweight="normal")
            if number < 2:  # a real scan is sharper than a decoded one: no change between them
                below.axis("off")
                continue
            change = slices.strip(
                volume - strip.volumes[1], strip.affine, index, 1.0, planes=("coronal",)
            )
            style.picture_axes(below, change, cmap="RdBu_r", vmin=-max_change, vmax=max_change)
            below.set_title(f"since {strip.ages_years[1]:.1f} years", fontweight="normal")
    return figure


def write_animation(strip: Strip, centre_mm: tuple[float, float, float], path: Path) -> None:
    """Write one person's scan and forecasts as an animated GIF, cuts in three planes."""
    index = slices.index_at(strip.affine, strip.volumes[0].shape, np.asarray(centre_mm))
    frames = []
    for number, (age, volume) in enumerate(zip(strip.ages_years, strip.volumes, strict=True)):
        grey = slices.strip(volume, strip.affine, index, PIXEL_MM)
        pixels = np.pad(np.clip(255 * grey, 0, 255).astype(np.uint8), ((LINE_PIXELS, 0), (0, 0)))
        frame = Image.fromarray(pixels)
        kind = "forecast" if number else "last scan"
        words = f"{strip.subject}: {kind}, {age:.1f} years"
        ImageDraw.Draw(frame).text((6, 4), words, fill=255, font=ImageFont.load_default(16))
        frames.append(frame)
    first, *later = frames
    with atomic_path(path) as temporary:
        first.save(temporary, "GIF", save_all=True, append_images=later, duration=FRAME_MS, loop=0)
