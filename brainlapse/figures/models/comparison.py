"""All autoencoders side by side, with the mean training image as their baseline."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainlapse.analysis.models import ALONE, MEAN_IMAGE
from brainlapse.figures import style
from brainlapse.figures.ageing.curves import REGION_ORDER, ordered_regions
from brainlapse.figures.models.reconstructions import SPLIT_PREFERENCE

HEADS = {
    "volume": "volume error of {} [%]",
    "task": "task {}",
    "forecast": "forecast error of {} [%]",
}
BESIDE = (MEAN_IMAGE, *ALONE)  # no models: the last rows of a table
METRICS = {"ssim": "SSIM", "psnr_db": "PSNR [dB]", "mae": "mean absolute error",
           "perceptual": "perceptual distance"}  # fmt: skip
BETTER = {"ssim": "higher", "psnr_db": "higher", "mae": "lower", "perceptual": "lower"}
Tables = Mapping[str, pd.DataFrame]  # model (or the mean image) -> a row per scan


def judged(tables: Tables) -> tuple[str | None, dict[str, pd.DataFrame]]:
    """Return the split that models are judged on, and the rows of every table that are in it."""
    filled = {name: table for name, table in tables.items() if len(table)}
    present = {split for table in filled.values() for split in table["split"]}
    split = next((name for name in SPLIT_PREFERENCE if name in present), None)
    return split, {name: table[table["split"] == split] for name, table in filled.items()}


def colours(names: list[str]) -> dict[str, str]:
    """Give every model a colour; the mean image is grey."""
    models = [name for name in names if name != MEAN_IMAGE]
    return {**style.colour_map(models), MEAN_IMAGE: style.GREY}


def plot_image_errors(tables: Tables) -> Figure:
    """Plot the image metrics of every scan of the judged split, model by model."""
    split, rows = judged(tables)
    names = [name for name in rows if rows[name]["ssim"].notna().any()]
    if split is None or not names:
        message = "No reconstructions to compare: none was scored."
        raise style.NothingToShow(message)
    shown = [m for m in METRICS if any(m in rows[n] and rows[n][m].notna().any() for n in names)]
    width = max(9.6, 0.5 * len(names) * len(shown))
    figure, axes = style.new_figure(1, len(shown), width_in=width, height_in=2.8)
    for panel, metric in zip(axes[0], shown, strict=True):
        for place, name in enumerate(names):
            if metric in rows[name]:
                _strip(panel, rows[name][metric].dropna(), place, colours(names)[name])
        panel.set_xticks(range(len(names)), [style.label(name) for name in names], rotation=20)
        panel.set_xlim(-0.6, len(names) - 0.4)
        panel.set(title=f"{BETTER[metric]} is better", ylabel=METRICS[metric])
    figure.suptitle(f"{split} scans, inside the brain mask", fontsize=8, color=style.INK)
    return figure


def _strip(panel: Axes, values: pd.Series, place: float, colour: str) -> None:
    found = np.sort(values.to_numpy(dtype=float))
    spread = 0.22 * np.sin(np.arange(len(found)) * 2.4)  # golden angle: dots stay apart
    panel.plot(place + spread, found, ".", color=colour, ms=4, alpha=0.6)
    if len(found):
        panel.plot([place - 0.35, place + 0.35], [found.mean()] * 2, color=style.INK)


def plot_volume_errors(tables: Tables) -> Figure:
    """Plot signed errors of regional volumes in reconstructions, region by region and model."""
    split, rows = judged(tables)
    regions = [
        region
        for region in ordered_regions(pd.concat([t["region"] for t in rows.values()]))
        if region in REGION_ORDER
    ] if split else []  # fmt: skip
    if not regions:
        message = "No volume errors: reconstructions or scans have no regional volumes."
        raise style.NothingToShow(message)
    height = 0.9 + len(regions) * max(0.3, 0.17 * len(rows))
    figure, axes = style.new_figure(1, 1, width_in=8.5, height_in=height)
    panel, step = axes[0, 0], 0.8 / len(rows)
    for number, (name, table) in enumerate(rows.items()):
        for place, region in enumerate(regions):
            values = np.sort(
                table.loc[table["region"] == region, "error_pct"].to_numpy(dtype=float)
            )
            height_at = place - 0.4 + (number + 0.5) * step
            colour = colours(list(rows))[name]
            label = style.label(name) if place == 0 else None
            panel.plot(values, [height_at] * len(values), ".", color=colour, ms=4, alpha=0.6)
            if len(values):
                ends = [height_at - 0.45 * step, height_at + 0.45 * step]
                panel.plot([np.median(values)] * 2, ends, color=colour, lw=2.5, label=label)
    panel.axvline(0, color=style.INK, lw=0.8)
    panel.set_yticks(range(len(regions)), [style.label(region) for region in regions])
    panel.set_ylim(len(regions) - 0.5, -0.5)
    _limit(panel, rows)
    panel.set(
        xlabel="volume of the reconstruction against that of the scan [%]",
        title=f"regional volumes, {split} scans",
    )
    panel.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def _limit(panel: Axes, rows: Tables) -> None:
    """Keep the axis on what the models do; a few values far out would squeeze the others."""
    values = pd.concat([t.loc[t["region"].isin(REGION_ORDER), "error_pct"] for t in rows.values()])
    low, high = np.percentile(values.astype(float), [1, 99])
    margin = 0.08 * (high - low) + 0.5
    panel.set_xlim(min(low - margin, -1), max(high + margin, 1))


def model_table(table: pd.DataFrame) -> pd.DataFrame:
    """Turn ``models.tsv`` into a row per model: value, interval, and `best` where that is sure."""
    table = table.assign(
        column=[_measure(row) for row in table.to_dict("records")],
        words=[_standing(row) for row in table.to_dict("records")],
    )
    models = list(dict.fromkeys(table["model"]))
    beside = [name for name in BESIDE if name in models]
    order = [name for name in models if name not in beside] + beside
    wide = table.set_index(["model", "column"])["words"].unstack()  # noqa: PD010
    wide = wide.loc[order, list(dict.fromkeys(table["column"]))]
    return wide.fillna("").rename(index=style.label).reset_index()


def _measure(row: dict) -> str:
    """Return the name of a measure for the head of a column."""
    words = METRICS.get(row["measure"], style.label(row["measure"]))
    named = HEADS.get(row["group"], "{}").format(words)
    if row["group"] == "separation":  # whose people differ from model to model
        return named
    people = "1 person" if row["n_subjects"] == 1 else f"{row['n_subjects']:.0f} people"
    return f"{named}: {people} of {row['split']}"


def _standing(row: dict) -> str:
    if pd.isna(row["value"]):
        return "n/a"
    words = f"{row['value']:.3g}"
    if pd.notna(row["ci_low"]):
        words += f" ({row['ci_low']:.3g} to {row['ci_high']:.3g})"
    return f"{words} best" if str(row["best"]) == "True" else words


def image_table(summaries: Tables) -> pd.DataFrame:
    """Join the summaries of all models: mean ± standard deviation, the baseline once.

    Parameters
    ----------
    summaries
        ``reconstruction_summary.tsv`` by model.
    """
    parts = []
    for number, (model, table) in enumerate(summaries.items()):
        if table.empty:
            continue
        named = table.assign(method=table["method"].replace("model", model))
        parts.append(named if number == 0 else named[named["method"] == model])
    if not parts:
        return pd.DataFrame()
    table = pd.concat(parts, ignore_index=True)
    table["diagnosis"] = table["diagnosis"].fillna("n/a")
    shown = table[["method", "split", "dataset", "diagnosis", "n"]].rename(columns={"n": "scans"})
    for metric, words in METRICS.items():
        if f"{metric}_mean" in table:
            means, deviations = table[f"{metric}_mean"], table[f"{metric}_sd"]
            shown[words] = [_plus_minus(*pair) for pair in zip(means, deviations, strict=True)]
    order = {split: number for number, split in enumerate(SPLIT_PREFERENCE)}
    place = shown["split"].map(order)
    return shown.assign(place=place).sort_values("place", kind="stable").drop(columns="place")


def _plus_minus(mean: float, deviation: float) -> str:
    if pd.isna(mean):
        return "n/a"
    text = f"{mean:.3g}" if abs(mean) < 10 else f"{mean:.1f}"
    return text if pd.isna(deviation) else f"{text} ± {deviation:.2g}"


def volume_table(tables: Tables) -> pd.DataFrame:
    """Errors of regional volumes on the judged split: bias, spread, median size."""
    split, rows = judged(tables)
    if split is None:
        return pd.DataFrame()
    joined = pd.concat([table.assign(method=name) for name, table in rows.items()])
    groups = joined.groupby(["region", "method"], sort=False)
    table = pd.DataFrame(
        {
            "scans": groups.size(),
            "mean error [%]": groups["error_pct"].mean(),
            "standard deviation [%]": groups["error_pct"].std(),
            "median absolute error [%]": groups["abs_error_pct"].median(),
        }
    ).reset_index()
    rank = {name: number for number, name in enumerate(ordered_regions(table["region"]))}
    table = table.assign(rank=table["region"].map(rank)).sort_values("rank", kind="stable")
    return table.drop(columns="rank").assign(region=table["region"].map(style.label))
