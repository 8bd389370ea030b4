"""The latent space in its first two principal components."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from matplotlib.ticker import MaxNLocator
from scipy.stats import f as f_distribution

from brainlapse.analysis.groups import FEWEST, join_scans, tabulate_people
from brainlapse.cohort.tables import SCAN
from brainlapse.figures import style, tables

FIRST_TWO = ["pc1", "pc2"]
MAP = ["umap1", "umap2"]
SHARE = 0.95  # of a group's people, in its ellipse
MOST_GROUPS = 8  # with an ellipse and a line in the legend; the largest
WHERE_SEVERAL = ("sex", "dataset", "site")  # panels of these where there are two values to tell
COLUMNS = 4


@dataclass(frozen=True)
class Outline:
    """An ellipse: its centre (2,), full lengths of its axes (2,), angle of the first [degrees]."""

    centre: np.ndarray
    lengths: np.ndarray
    angle_deg: float


def plot_latents(
    scores: pd.DataFrame,
    variance: pd.DataFrame,
    index: pd.DataFrame,
    neighbours: pd.DataFrame | None = None,
) -> Figure:
    """Plot PC 1 and 2 by group, with ellipses, and by age and split; the explained variance.

    Parameters
    ----------
    scores, variance
        ``pca.tsv`` and ``pca_variance.tsv``.
    index
        ``index.tsv`` of the latents, which says all that is known of the scans.
    neighbours
        ``umap.tsv``: two further panels, by diagnosis and by split.
    """
    if scores.empty or not {*FIRST_TWO} <= set(scores.columns):
        message = "No latent space to show: it takes at least three encoded scans."
        raise style.NothingToShow(message)
    scans = join_scans(scores, index)
    people = tabulate_people(scans)
    grouped = [name for name in WHERE_SEVERAL if len(tables.given(scans, name).unique()) > 1]
    mapped = pd.DataFrame()
    if neighbours is not None:
        mapped = neighbours[[*SCAN, *MAP]].merge(index, on=SCAN, validate="one_to_one")
    figure, axes = _new_figure(len(grouped) + (4 if mapped.empty else 6))
    panels = iter(axes)
    for column in ("diagnosis", *grouped):
        panel = next(panels)
        _plot_groups(panel, scans, column, {})
        _outline_groups(panel, scans, people, column)
    _plot_ages(figure, next(panels), scans)
    _plot_groups(next(panels), scans, "split", style.SPLIT_COLOURS)
    _name_axes(axes[: len(grouped) + 3], variance)
    _plot_variance(next(panels), variance)
    if not mapped.empty:
        for column, known in (("diagnosis", {}), ("split", style.SPLIT_COLOURS)):
            _plot_map(next(panels), mapped, column, known)
    style.hide(panels)
    return figure


def outline(points: np.ndarray, share: float = SHARE) -> Outline | None:
    """Ellipse in which a further person of a group lies with this probability, were it normal.

    Mean and covariance are estimated, so that few people make it larger (Hotelling's T squared).

    Parameters
    ----------
    points
        People, float (N, 2).

    Returns
    -------
    Outline | None
        None for fewer than 5 people.
    """
    count = len(points)
    if count < FEWEST:
        return None
    reach = 2 * (count - 1) * (count + 1) / (count * (count - 2))
    reach *= f_distribution.ppf(share, 2, count - 2)
    variances, axes = np.linalg.eigh(np.cov(points, rowvar=False))
    lengths = 2 * np.sqrt(reach * np.clip(variances, 0, None))
    angle_deg = np.degrees(np.arctan2(axes[1, 0], axes[0, 0]))
    return Outline(points.mean(axis=0), lengths, float(angle_deg))


def _new_figure(panels: int) -> tuple[Figure, np.ndarray]:
    rows = -(-panels // COLUMNS)
    figure, axes = style.new_figure(rows, COLUMNS, width_in=12.5, height_in=3.0 * rows)
    return figure, axes.ravel()


def _name_axes(panels: np.ndarray, variance: pd.DataFrame) -> None:
    shares = variance["explained_variance_ratio"] if len(variance) > 1 else None
    for panel in panels:
        for number, setter in enumerate((panel.set_xlabel, panel.set_ylabel)):
            share = "" if shares is None else f" ({100 * shares.iloc[number]:.1f} % of variance)"
            setter(f"PC {number + 1}{share}")


def _plot_map(axes: Axes, scans: pd.DataFrame, column: str, known: dict[str, str]) -> None:
    _plot_groups(axes, scans, column, known, places=MAP)
    axes.set(title=f"neighbours (UMAP) by {style.label(column)}", xticks=[], yticks=[])


def _plot_groups(
    axes: Axes,
    scans: pd.DataFrame,
    column: str,
    known: dict[str, str],
    places: list[str] = FIRST_TWO,
) -> None:
    values = tables.given(scans, column)
    shown = set(values.value_counts().index[:MOST_GROUPS])
    for value, colour in style.colour_map(values, known).items():
        group, label = scans[values == value], value if value in shown else None
        across, upward = (group[name] for name in places)
        axes.scatter(across, upward, s=10, color=colour, alpha=0.5, lw=0, label=label)
    axes.set_title(f"by {style.label(column)}")
    axes.legend()


def _outline_groups(axes: Axes, scans: pd.DataFrame, people: pd.DataFrame, column: str) -> None:
    """Draw mean and ellipse of the people of each group, in the colours of its scans."""
    colours = style.colour_map(tables.given(scans, column))
    for value in people[column].value_counts().index[:MOST_GROUPS]:
        found = outline(people.loc[people[column] == value, FIRST_TWO].to_numpy(dtype=float))
        if found is None:
            continue
        colour = colours[value]
        ellipse = Ellipse(
            tuple(found.centre),
            *found.lengths,
            angle=found.angle_deg,
            fill=False,
            edgecolor=colour,
            lw=1.2,
        )
        axes.add_patch(ellipse)
        axes.plot(*found.centre, "P", ms=8, color=colour, mec="white", mew=1)
    axes.autoscale_view()


def _plot_ages(figure: Figure, axes: Axes, scans: pd.DataFrame) -> None:
    axes.set_title("by age")
    ages = scans["age_years"] if "age_years" in scans else pd.Series(dtype=float)
    known = scans[ages.notna()] if len(ages) else scans.iloc[:0]
    rest = scans.drop(known.index)
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
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend()
