"""Who is in the cohort: ages, groups, splits, visits."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainlapse.figures import style, tables

BIN_YEARS = 5


def plot_cohort(scans: pd.DataFrame) -> Figure:
    """Plot ages by split, visits over age, and scans per dataset and diagnosis."""
    if scans.empty:
        message = "The cohort is empty: no scan passed the checks of the cohort stage."
        raise style.NothingToShow(message)
    figure, axes = style.new_figure(1, 3, height_in=3.1)
    plot_ages(axes[0, 0], scans)
    plot_visits(axes[0, 1], scans)
    plot_groups(axes[0, 2], scans)
    return figure


def plot_ages(axes: Axes, scans: pd.DataFrame) -> None:
    """Plot the histogram of ages, stacked by split."""
    aged = scans.dropna(subset=["age_years"])
    axes.set(title="Age by split", xlabel="age [years]", ylabel="scans")
    if aged.empty:
        axes.text(0.5, 0.5, "no ages known", transform=axes.transAxes, ha="center")
        return
    colours = style.colour_map(aged["split"], style.SPLIT_COLOURS)
    groups = {split: aged.loc[aged["split"].astype(str) == split, "age_years"] for split in colours}
    low = int(aged["age_years"].min() // BIN_YEARS * BIN_YEARS)
    bins = range(low, int(aged["age_years"].max()) + 2 * BIN_YEARS, BIN_YEARS)
    axes.hist(
        list(groups.values()),
        bins=list(bins),
        stacked=True,
        color=list(colours.values()),
        label=list(groups),
        edgecolor="white",
        linewidth=0.5,
    )
    axes.margins(y=0.25)
    axes.legend(ncols=2)


def plot_visits(axes: Axes, scans: pd.DataFrame) -> None:
    """Plot a line per subject through the ages of its scans, sorted by first age."""
    axes.set(title="Visits", xlabel="age [years]", ylabel="subjects, by first age")
    axes.set_yticks([])
    aged = scans.dropna(subset=["age_years"])
    if aged.empty:
        axes.text(0.5, 0.5, "no ages known", transform=axes.transAxes, ha="center")
        return
    colours = style.colour_map(aged["split"], style.SPLIT_COLOURS)
    visits = [group for _, group in aged.groupby(["dataset", "subject"])]
    visits.sort(key=lambda group: group["age_years"].min())
    for height, group in enumerate(visits):
        colour = colours[str(group["split"].iloc[0])]
        ages = sorted(group["age_years"])
        axes.plot(ages, [height] * len(ages), "-o", color=colour, lw=0.7, ms=2)


def plot_groups(axes: Axes, scans: pd.DataFrame) -> None:
    """Plot scans per dataset and diagnosis."""
    table = scans.assign(diagnosis=tables.given(scans, "diagnosis"))
    counts = pd.crosstab(table["dataset"], table["diagnosis"])
    colours = style.colour_map(counts.columns)
    left = pd.Series(0, index=counts.index)
    for name in counts.columns:
        axes.barh(
            counts.index.astype(str), counts[name], left=left, color=colours[str(name)], label=name
        )
        left = left + counts[name]
    axes.set(title="Diagnosis by dataset", xlabel="scans")
    axes.set_ylim(len(counts) - 0.3, -0.7)
    axes.grid(axis="y", visible=False)
    axes.legend()


def count_table(scans: pd.DataFrame) -> pd.DataFrame:
    """Return scans, subjects, ages and diagnoses of every dataset and split."""
    rows = []
    for (dataset, split), group in scans.groupby(["dataset", "split"], dropna=False):
        ages = group["age_years"].dropna()
        diagnoses = tables.given(group, "diagnosis").value_counts()
        rows.append(
            {
                "dataset": dataset,
                "split": split,
                "subjects": group["subject"].nunique(),
                "scans": len(group),
                "age_years": f"{ages.min():.1f} to {ages.max():.1f}" if len(ages) else None,
                "scans without age": len(group) - len(ages),
                "diagnosis": ", ".join(f"{name} {count}" for name, count in diagnoses.items()),
            }
        )
    return pd.DataFrame(rows)


def noted(scans: pd.DataFrame) -> pd.DataFrame:
    """Return the scans that carry a note, for instance that their age is left out."""
    notes = _column(scans, "note")
    columns = [c for c in ("dataset", "scan", "age_years", "note") if c in scans]
    return scans.loc[notes.notna(), columns]


def _column(table: pd.DataFrame, name: str) -> pd.Series:
    return table[name] if name in table else pd.Series(index=table.index, dtype=object)


def describe_doubles(doubles: pd.DataFrame) -> list[str]:
    """Return a sentence for each pair of people who look like one person, with what to do.

    Parameters
    ----------
    doubles
        ``preprocess/doubles.tsv``.
    """
    return [
        f"{row['dataset']}/{row['subject']} and {row['other_dataset']}/{row['other_subject']} look "
        f"like one person ({row['similarity']:.2f}): if they are, give both one subject, or "
        f"exclude one (qc_review.tsv); they may stand on both sides of a split."
        for row in doubles.to_dict("records")
    ]
