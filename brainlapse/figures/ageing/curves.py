"""What the ageing stage found: forecasts to show, volumes over age, errors by method."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainlapse.aging.evaluation.choice import method_order
from brainlapse.cohort.tables import SCAN
from brainlapse.figures import style

COPY = "copy_last"  # the baseline that repeats the last scan seen
ALONE = "volume_bayes"  # the strongest forecast of volumes that needs no network
BASELINE_COLOURS = {
    COPY: style.GREY,
    "volume_linear": "#4d535b",
    "volume_rate": "#6d747d",
    "volume_bayes": "#1f2328",
    "reconstruction": "#c3c8ce",
}
REGION_ORDER = (
    "ventricles",
    "hippocampus",
    "grey_matter",
    "white_matter",
    "lateral_ventricles",
    "csf",
    "brain",
    "intracranial",
)
NO_FORECASTS = (
    "No forecasts: none of the scans to judge belongs to a subject with enough visits of known age "
    "(a cross-sectional cohort has none)."
)


def ordered_regions(names: pd.Series) -> list[str]:
    """Return the distinct regions, the groups of the papers first; single structures last."""
    rank = {name: position for position, name in enumerate(REGION_ORDER)}
    return sorted({str(n) for n in names.dropna()}, key=lambda n: (rank.get(n, len(rank)), n))


def missing_regions(volumes: pd.DataFrame) -> list[str]:
    """Return the groups that the volume table lists without any volume."""
    lacking = volumes.groupby("region")["volume_mm3"].apply(lambda values: values.isna().all())
    return ordered_regions(pd.Series(lacking.index[lacking.to_numpy(dtype=bool)]))


def is_baseline(method: str) -> bool:
    """Tell whether a method forecasts without the latents, or does not forecast at all."""
    return str(method) in BASELINE_COLOURS


def method_colours(methods: pd.Series) -> dict[str, str]:
    """Give every method a colour; baselines are grey."""
    names = {str(method) for method in methods.dropna()}
    grey = {name: colour for name, colour in BASELINE_COLOURS.items() if name in names}
    colours = {**style.colour_map(sorted(names - set(grey))), **grey}
    return {name: colours[name] for name in sorted(colours, key=method_order)}


def choose(predictions: pd.DataFrame, max_subjects: int) -> pd.DataFrame:
    """Return one forecast per subject to draw: test first, most scans seen, longest horizon."""
    drawn = predictions.dropna(subset=["file"]) if "file" in predictions else predictions.iloc[:0]
    drawn = drawn[~drawn["method"].map(is_baseline)] if len(drawn) else drawn
    if drawn.empty:
        return drawn
    ordered = drawn.assign(
        later=drawn["split"].map({"test": 0, "apply": 1, "validation": 2}).fillna(3)
    ).sort_values(
        ["later", "horizon_years", "n_scans_seen", "dataset", "subject", "method"],
        ascending=[True, False, False, True, True, True],
    )
    picked = ordered.drop_duplicates(["dataset", "subject"]).head(max_subjects)
    return picked.drop(columns="later")


def trajectories(
    volumes: pd.DataFrame, scans: pd.DataFrame, predictions: pd.DataFrame, model: str
) -> pd.DataFrame:
    """Join volumes with ages.

    Parameters
    ----------
    volumes
        ``volumes.tsv``.
    scans
        ``scans.tsv``: gives ages to real and reconstructed scans.
    predictions
        ``predictions.tsv`` of the model: gives ages and last scans to forecasts.
    model
        Volumes of other models are dropped, real ones kept.

    Returns
    -------
    pandas.DataFrame
        dataset, subject, scan, kind, method, n_scans_seen, region, age_years, volume_mm3.
    """
    known = volumes.dropna(subset=["volume_mm3"])
    ages = scans.drop_duplicates(SCAN).set_index(SCAN)["age_years"]
    measured = known[
        (known["kind"] == "real") | ((known["kind"] == "reconstructed") & (known["model"] == model))
    ]
    measured = measured.join(ages, on=SCAN)
    forecast = known[(known["kind"] == "predicted") & (known["model"] == model)]
    if forecast.empty or predictions.empty:
        return measured.dropna(subset=["age_years"])
    by = [*SCAN, "method", "n_scans_seen"]
    targets = predictions.drop_duplicates(by)[[*by, "target_age_years"]]
    forecast = forecast.merge(
        targets.astype({"n_scans_seen": float}).rename(columns={"target_age_years": "age_years"}),
        on=by,
        how="inner",
    )
    return pd.concat([measured, forecast]).dropna(subset=["age_years"])


def judged_errors(errors: pd.DataFrame) -> pd.DataFrame:
    """Return the known errors of people who chose no method."""
    known = errors.dropna(subset=["abs_error_pct"]) if "abs_error_pct" in errors else errors
    return known[known["split"] != "validation"] if "split" in known else known


def error_table(errors: pd.DataFrame) -> pd.DataFrame:
    """Return median absolute volume errors [%]: a row per method and scans seen."""
    known = judged_errors(errors)
    if known.empty:
        return pd.DataFrame()
    by = ["method", "n_scans_seen"]
    table = known.pivot_table(index=by, columns="region", values="abs_error_pct", aggfunc="median")
    table = table[ordered_regions(pd.Series(table.columns))]
    table.columns = [f"{style.label(name)} [%]" for name in table.columns]
    groups = known.groupby(by)
    table.insert(0, "subjects", groups["subject"].nunique())
    table.insert(1, "median horizon [years]", groups["horizon_years"].median())
    table = table.reset_index()
    order = table["method"].map(method_order)
    return table.loc[order.sort_values(kind="stable").index].reset_index(drop=True)


def headline(errors: pd.DataFrame) -> dict[str, object] | None:
    """Return region, best method with its median error [%] and that of the baseline.

    The baseline is taken on the forecasts of the same scans from as many scans seen.
    """
    table = error_table(errors)
    if table.empty:
        return None
    region = next(name for name in table.columns if name.endswith("[%]"))
    ours = table[~table["method"].map(is_baseline)].dropna(subset=[region])
    if ours.empty:
        return None
    best = ours.sort_values(region, kind="stable").iloc[0]
    same = table[(table["method"] == COPY) & (table["n_scans_seen"] == best["n_scans_seen"])]
    return {
        "region": region.removesuffix(" [%]"),
        "method": best["method"],
        "n_scans_seen": int(best["n_scans_seen"]),
        "error_pct": float(best[region]),
        "baseline_pct": float(same[region].iloc[0]) if len(same) else None,
    }


def plot_regions(
    errors: pd.DataFrame, regions: Sequence[str], plot: Callable[[Axes, pd.DataFrame], None]
) -> tuple[Figure, np.ndarray]:
    """Draw errors of volumes over the scans seen, a panel per region.

    Parameters
    ----------
    errors
        With region.
    plot
        Draws the rows of one region.

    Returns
    -------
    tuple
        The figure and its panels, (1, regions).
    """
    figure, axes = style.new_figure(1, len(regions), width_in=11.5, height_in=3.1)
    for panel, region in zip(axes[0], regions, strict=True):
        plot(panel, errors[errors["region"] == region])
        panel.set_title(style.label(region))
        panel.set_xlabel("scans seen")
    axes[0, 0].set_ylabel("absolute volume error [%]")
    return figure, axes
