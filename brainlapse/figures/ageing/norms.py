"""Norms of regional volumes: centiles over age, people in them, groups beside each other."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainlapse.analysis.norms.scores import BY_ALL
from brainlapse.cohort.tables import PERSON
from brainlapse.figures import style, tables
from brainlapse.figures.ageing.curves import REGION_ORDER

SHOWN = REGION_ORDER[:4]
SHARE = "intracranial_share"
CHANGE = "volume_pct_per_year"
BANDS = (("centile_5", "centile_95", 0.12), ("centile_25", "centile_75", 0.22))
GROUP_COLUMNS = [
    *("region", "diagnosis", "people", "mean_z", "below_5_pct", "above_95_pct", "outside_ages"),
]
EDGE = 1.6449  # z-score of the centile 95
NO_NORMS = "No norms were fitted."


def reason(fits: pd.DataFrame) -> str:
    """Return the sentence that says why there are no norms."""
    known = fits.loc[fits["region"].isna(), "note"].dropna()
    return f"{known.iloc[0][:1].upper()}{known.iloc[0][1:]}." if len(known) else NO_NORMS


def plot_norms(curves: pd.DataFrame, scores: pd.DataFrame, fits: pd.DataFrame) -> Figure:
    """Plot the centiles of four regions by sex, with a dot per person.

    Parameters
    ----------
    curves, scores, fits
        ``norms.tsv``, ``norm_scores.tsv`` and ``norm_fits.tsv``.
    """
    shares = curves[(curves["measure"] == SHARE) & curves["region"].isin(SHOWN)]
    if shares.empty:
        raise style.NothingToShow(reason(fits))
    regions = [name for name in SHOWN if name in set(shares["region"])]
    sexes = sorted(shares["sex"].dropna().unique()) or [None]
    figure, axes = style.new_figure(
        len(sexes), len(regions), width_in=11.5, height_in=0.6 + 2.4 * len(sexes)
    )
    people = scores[scores["measure"] == SHARE].drop_duplicates([*PERSON, "region"])
    people = people.assign(diagnosis=tables.given(people, "diagnosis"))
    colours = style.colour_map(people["diagnosis"])
    for row, sex in zip(axes, sexes, strict=True):
        for panel, region in zip(row, regions, strict=True):
            curve = shares[shares["region"] == region]
            dots = people[people["region"] == region]
            if sex is not None:
                curve, dots = curve[curve["sex"] == sex], dots[dots["sex"] == sex]
            _plot_curve(panel, curve)
            _plot_people(panel, dots, colours)
            panel.set_title(style.label(region) + (f", {sex}" if sex else ""))
        row[0].set_ylabel("share of the head [%]")
    for panel in axes[-1]:
        panel.set_xlabel("age [years]")
    if len(colours) <= 8:
        axes[0, -1].legend()
    return figure


def _plot_curve(axes: Axes, curve: pd.DataFrame) -> None:
    ages = curve["age_years"]
    for low, high, opacity in BANDS:
        axes.fill_between(
            ages, 100 * curve[low], 100 * curve[high], color=style.GREY, alpha=opacity, lw=0
        )
    axes.plot(ages, 100 * curve["centile_50"], color=style.INK)


def _plot_people(axes: Axes, people: pd.DataFrame, colours: dict[str, str]) -> None:
    for name, colour in colours.items():
        group = people[people["diagnosis"] == name]
        fitted = group["scored_by"] != BY_ALL
        for rows, face in ((group[fitted], colour), (group[~fitted], "white")):
            axes.scatter(
                rows["age_years"],
                100 * rows["measured"],
                s=12,
                facecolors=face,
                edgecolors=colour,
                linewidths=0.8,
            )
        axes.scatter([], [], s=12, color=colour, label=name)


def group_table(scores: pd.DataFrame, measure: str = SHARE) -> pd.DataFrame:
    """Summarise the z-scores of groups in one measure, people weighing the same.

    Returns
    -------
    pandas.DataFrame
        ``GROUP_COLUMNS``: mean over people of their mean z-score, shares
        of people whose mean lies below the centile 5 or above 95 [%], and how many people have no
        score since they are older or younger than the controls.
    """
    known = scores[(scores["measure"] == measure) & scores["region"].isin(SHOWN)]
    if known.empty:
        return pd.DataFrame(columns=GROUP_COLUMNS)
    named = tables.given(known, "diagnosis")
    person = known.assign(diagnosis=named, outside=known["outside_ages"].astype(float)).groupby(
        ["region", "diagnosis", *PERSON], sort=True
    )
    people = pd.DataFrame({"z": person["z_score"].mean(), "outside": person["outside"].min()})
    records = []
    for (region, diagnosis), rows in people.groupby(level=["region", "diagnosis"]):
        z_scores = rows["z"].dropna()
        records.append(
            {
                "region": region,
                "diagnosis": diagnosis,
                "people": len(z_scores),
                "mean_z": z_scores.mean(),
                "below_5_pct": 100 * (z_scores < -EDGE).mean(),
                "above_95_pct": 100 * (z_scores > EDGE).mean(),
                "outside_ages": int(rows["outside"].sum()),
            }
        )
    table = pd.DataFrame(records, columns=GROUP_COLUMNS)
    order = table["region"].map(SHOWN.index)
    return table.iloc[np.lexsort((table["diagnosis"], order))].reset_index(drop=True)
