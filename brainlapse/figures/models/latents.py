"""The latent space in its first two principal components."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainlapse.figures import style


def plot_latents(scores: pd.DataFrame, variance: pd.DataFrame) -> Figure:
    """Plot PC 1 and 2 by diagnosis, age and split, and the explained variance."""
    if scores.empty or not {"pc1", "pc2"} <= set(scores.columns):
        message = "No latent space to show: it takes at least three encoded scans."
        raise style.NothingToShow(message)
    figure, axes = style.new_figure(1, 4, width_in=11.5, height_in=3.0)
    shares = variance["explained_variance_ratio"] if len(variance) > 1 else None
    _plot_groups(axes[0, 0], scores, "diagnosis", {})
    _plot_ages(figure, axes[0, 1], scores)
    _plot_groups(axes[0, 2], scores, "split", style.SPLIT_COLOURS)
    for panel in axes[0, :3]:
        for number, setter in enumerate((panel.set_xlabel, panel.set_ylabel)):
            share = "" if shares is None else f" ({100 * shares.iloc[number]:.1f} % of variance)"
            setter(f"PC {number + 1}{share}")
    _plot_variance(axes[0, 3], variance)
    return figure


def _plot_groups(axes: Axes, scores: pd.DataFrame, column: str, known: dict[str, str]) -> None:
    values = scores[column] if column in scores else pd.Series(pd.NA, index=scores.index)
    values = values.astype(object).where(values.notna(), "not given").astype(str)
    for value, colour in style.colour_map(values, known).items():
        group = scores[values == value]
        axes.scatter(group["pc1"], group["pc2"], s=14, color=colour, alpha=0.8, lw=0, label=value)
    axes.set_title(f"by {column}")
    if values.nunique() <= 8:
        axes.legend()


def _plot_ages(figure: Figure, axes: Axes, scores: pd.DataFrame) -> None:
    axes.set_title("by age")
    ages = scores["age_years"] if "age_years" in scores else pd.Series(dtype=float)
    known = scores[ages.notna()] if len(ages) else scores.iloc[:0]
    rest = scores.drop(known.index)
    axes.scatter(rest["pc1"], rest["pc2"], s=12, color="#c9cdd2", lw=0)
    if known.empty:
        axes.text(0.5, 0.95, "no ages known", transform=axes.transAxes, ha="center")
        return
    points = axes.scatter(known["pc1"], known["pc2"], c=known["age_years"], s=14, cmap="viridis")
    figure.colorbar(points, ax=axes, label="age [years]", shrink=0.85)


def _plot_variance(axes: Axes, variance: pd.DataFrame) -> None:
    axes.set(title="explained variance", xlabel="component", ylabel="share of variance [%]")
    if variance.empty:
        return
    shown = variance.head(20)
    numbers = range(1, len(shown) + 1)
    share = 100 * shown["explained_variance_ratio"]
    axes.bar(numbers, share, color=style.BLUE, width=0.7, label="each")
    axes.plot(numbers, share.cumsum(), "-o", ms=2.5, color=style.VERMILION, label="together")
    axes.set_ylim(0, 105)
    axes.legend()
