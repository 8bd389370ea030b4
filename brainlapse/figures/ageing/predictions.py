"""The strip of requested forecasts: a row per person, from the last scan to the oldest age."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from brainlapse.cohort.tables import BRAIN, scan_path
from brainlapse.figures import slices, style
from brainlapse.images import load_canonical

MOST_PEOPLE = 12
NOTHING = "No forecasts: no request could be answered, see refused.tsv."


@dataclass(frozen=True)
class Strip:
    """One person: ages and volumes (X, Y, Z) in MNI space, the last real scan first."""

    subject: str
    ages_years: list[float]
    volumes: list[np.ndarray]
    affine: np.ndarray


def load_strips(plan: pd.DataFrame, folder: Path, root: Path) -> list[Strip]:
    """Read the images of the first `MOST_PEOPLE` people of a plan.

    Parameters
    ----------
    plan
        ``predictions.tsv`` of the requests.
    folder
        Of their images.
    root
        Output folder of the run.
    """
    strips: list[Strip] = []
    for (dataset, subject), rows in plan.groupby(["dataset", "subject"], sort=True):
        if len(strips) == MOST_PEOPLE:
            break
        rows = rows.sort_values("target_age_years")
        first = rows.iloc[0]
        path = scan_path(str(dataset), str(subject), first["last_session"])
        last, affine = load_canonical(f"{root}/preprocess/{path}{BRAIN}")
        forecasts = [load_canonical(folder / file)[0] for file in rows["file"]]
        ages = [float(first["last_age_years"]), *rows["target_age_years"].astype(float)]
        strips.append(Strip(str(subject), ages, [last, *forecasts], affine))
    return strips


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
