"""Classification and regression from latents."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from brainlapse.figures import style


def plot_task(
    predictions: pd.DataFrame, kind: str, target: str, positive: str | None = None
) -> Figure:
    """Plot how a task went.

    Parameters
    ----------
    predictions
        Table with ``true``, ``predicted`` and ``score``, one row per scan.
    kind
        ``classification`` or ``regression``.
    target
        Column that is predicted.
    positive
        The class that a high score means; by default the last one in order.
    """
    judged = predictions.dropna(subset=["true", "predicted"])
    if judged.empty:
        message = "No predictions: too few scans with a known target; see the notes of the task."
        raise style.NothingToShow(message)
    if kind == "regression":
        return _plot_regression(judged, style.quantity(target))
    return _plot_classification(judged, positive)


def _plot_regression(table: pd.DataFrame, target: str) -> Figure:
    figure, axes = style.new_figure(1, 2, width_in=7.4, height_in=3.4)
    true, predicted = table["true"].astype(float), table["predicted"].astype(float)
    splits = table["split"].astype(str)
    limits = [min(true.min(), predicted.min()), max(true.max(), predicted.max())]
    axes[0, 0].plot(limits, limits, color=style.GREY, lw=0.8, ls="--")
    for split, colour in style.colour_map(splits, style.SPLIT_COLOURS).items():
        mine = splits == split
        axes[0, 0].scatter(true[mine], predicted[mine], s=14, lw=0, color=colour, label=split)
        residual = predicted[mine] - true[mine]
        axes[0, 1].scatter(true[mine], residual, s=14, lw=0, color=colour)
    axes[0, 0].set(
        title="predicted over true", xlabel=f"true {target}", ylabel=f"predicted {target}"
    )
    axes[0, 1].axhline(0, color=style.GREY, lw=0.8, ls="--")
    axes[0, 1].set(title="error over true", xlabel=f"true {target}", ylabel="predicted - true")
    axes[0, 0].legend()
    return figure


def _plot_classification(table: pd.DataFrame, positive: str | None) -> Figure:
    true, predicted = table["true"].astype(str), table["predicted"].astype(str)
    classes = sorted(set(true) | set(predicted))
    figure, axes = style.new_figure(1, 2, width_in=7.4, height_in=3.4)
    _plot_confusion(axes[0, 0], true, predicted, classes)
    scores = pd.to_numeric(table["score"], errors="coerce") if "score" in table else None
    if len(classes) == 2 and scores is not None and scores.notna().all() and true.nunique() == 2:
        target = str(positive) if positive is not None else classes[-1]
        _plot_roc(axes[0, 1], true == target, scores, target)
    else:
        style.hide([axes[0, 1]])
    return figure


def _plot_confusion(axes: Axes, true: pd.Series, predicted: pd.Series, classes: list[str]) -> None:
    counts = pd.crosstab(true, predicted).reindex(index=classes, columns=classes, fill_value=0)
    shares = counts.div(counts.sum(axis=1).clip(lower=1), axis=0).to_numpy(dtype=float)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.grid(visible=False)
    for (row, column), count in np.ndenumerate(counts.to_numpy()):
        ink = "white" if shares[row, column] > 0.5 else style.INK
        axes.text(column, row, str(count), ha="center", va="center", color=ink)
    axes.set_xticks(range(len(classes)), classes)
    axes.set_yticks(range(len(classes)), classes)
    axes.set(title="scans by true and predicted class", xlabel="predicted", ylabel="true")


def _plot_roc(axes: Axes, is_positive: pd.Series, scores: pd.Series, target: str) -> None:
    false_rate, true_rate, _ = roc_curve(is_positive, scores)
    axes.plot([0, 1], [0, 1], color=style.GREY, lw=0.8, ls="--")
    axes.plot(false_rate, true_rate, color=style.BLUE, drawstyle="steps-post")
    axes.set(
        title=f"ROC curve, positive: {target}",
        xlabel="false positive rate (1 - specificity)",
        ylabel="true positive rate (sensitivity)",
        aspect="equal",
    )
