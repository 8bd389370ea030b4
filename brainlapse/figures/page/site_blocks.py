"""What the page says of data sets, sites and scanners: whether they pass for something else."""

from collections.abc import Sequence

import pandas as pd

from brainlapse.figures.page import blocks
from brainlapse.figures.page.blocks import Block
from brainlapse.figures.scans.cohort import describe_doubles

PLACES = ("dataset", "site")
ALPHA = 0.05
SIDES = {"train": "train", "held_out": "held out"}


def separation_blocks(separation: pd.DataFrame) -> list[Block]:
    """Show how far groups stand apart in the components, and what passes for the diagnosis."""
    found = place_passes(separation)
    shown = separation.replace({"split": SIDES}).dropna(axis="columns", how="all")
    table = blocks.table(
        shown,
        "How far groups of people stand apart in these components: silhouette (-1 to 1; 0: not at "
        "all), one mean per person, and the share of 999 shuffles of the groups over people that "
        "reach it. The axes were fitted to the train split; believe the people held out. If "
        "data set or site separates as well as the diagnosis, what is found of the diagnosis "
        "can't be trusted: it may be the scanner's.",
        empty="The separation of groups was not measured.",
    )
    return [*([blocks.warning(found)] if found else []), table]


def place_passes(separation: pd.DataFrame) -> list[str]:
    """Name the data sets or sites that stand as far apart as the diagnoses that do."""
    known = separation.dropna(subset=["silhouette"])
    apart = known[known["p_value"].astype(float) <= ALPHA]
    return [
        f"{row['column']} separates {SIDES[row['split']]} people as well as the diagnosis does "
        f"(silhouette {row['silhouette']:.2f} against {of_diagnosis:.2f}): what is found of the "
        "diagnosis over them can't be trusted."
        for row in apart[apart["column"].isin(PLACES)].to_dict("records")
        for of_diagnosis in _silhouettes(apart, "diagnosis", row["split"])
        if row["silhouette"] >= of_diagnosis
    ]


def _silhouettes(table: pd.DataFrame, column: str, split: str) -> pd.Series:
    chosen = (table["column"] == column) & (table["split"] == split)
    return table.loc[chosen, "silhouette"]


def audit_blocks(audit: pd.DataFrame) -> list[Block]:
    """Show what data set, site and scanner can't be told from."""
    table = blocks.table(
        audit.drop(columns="task").dropna(axis="columns", how="all")[audit["task"].isna()],
        "What goes with data set, site and scanner: Cramer's V (groups), eta squared (numbers), "
        "share of the changes of place that the visits explain (time), and the share of 999 "
        "shuffles over people that reach it. Confounded: the two can't be told apart, or hardly.",
        empty="Data sets, sites and scanners were not audited.",
    )
    found = confounded(audit[audit["task"].isna()])
    return [blocks.heading("Data sets, sites, scanners"), *found, table]


def task_warnings(audit: pd.DataFrame, task: str | None = None) -> list[Block]:
    """Warn where the target of a task, or of any, goes with a place among its scans."""
    return confounded(audit[audit["task"] == task if task else audit["task"].notna()])


def double_warnings(doubles: pd.DataFrame) -> list[Block]:
    """Warn of people who look like one person under two names."""
    sentences = describe_doubles(doubles)
    return [blocks.warning(sentences)] if sentences else []


def confounded(audit: pd.DataFrame) -> list[Block]:
    """Return a warning of what is confounded; none where nothing is."""
    rows = audit[audit["verdict"] == "confounded"]
    sentences = [f"{finding}." for finding in rows["finding"].astype(str).unique()]
    return [blocks.warning(sentences)] if sentences else []


def step_table(steps: pd.DataFrame, regions: Sequence[str]) -> Block:
    """Show the steps of volumes between places, or why they were not estimated."""
    refused = steps["region"].isna()
    shown = steps[refused | steps["region"].isin(regions)]
    return blocks.table(
        shown.dropna(axis="columns", how="all"),
        "Step of regional volumes from one data set, site or scanner (reference) to another, with "
        "95 % interval: within people who change it, beside visit and years since the first; else "
        "between people, beside age, sex and diagnosis, where who was scanned may still differ. "
        "Refused where it can't be told from these.",
        empty="There is one data set, site and scanner only, or no volumes to compare.",
    )
