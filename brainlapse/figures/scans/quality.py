"""Pictures and numbers by which a person judges the preprocessing."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from brainlapse.figures import slices, style

CONTEXT_COLUMNS = (
    "dataset",
    "subject",
    "session",
    "scan",
    "status",
    "stage",
    "reasons",
    "decision",
    "note",
)
MASK_COLOUR, TEMPLATE_COLOUR = style.ORANGE, style.SKY


@dataclass(frozen=True)
class Head:
    """A volume with its brain mask, both (X, Y, Z) near RAS+, and their affine."""

    volume: np.ndarray
    mask: np.ndarray
    affine: np.ndarray


def numeric_columns(table: pd.DataFrame) -> list[str]:
    """Return the columns of ``qc.tsv`` that hold at least one number."""
    return [
        name
        for name in table.columns
        if name not in CONTEXT_COLUMNS
        and pd.api.types.is_numeric_dtype(table[name])
        and not pd.api.types.is_bool_dtype(table[name])
        and table[name].notna().any()
    ]


def quality_picture(
    raw: Head | None,
    brain: Head | None,
    template_mask: np.ndarray,
    centre_mm: tuple[float, float, float],
    width_px: int,
) -> Image.Image:
    """Picture one scan: raw head with its mask above, brain in MNI space below.

    Parameters
    ----------
    raw
        Head in its own space; None if that stage failed.
    brain
        Stripped brain in MNI space; None if that stage failed.
    template_mask
        Brain of the template on the grid of `brain`.
    centre_mm
        Where the brain is cut, world mm (RAS).
    width_px
        Width of the picture.

    Raises
    ------
    NothingToShow
        If there is neither.
    """
    rows = []
    if raw is not None:
        index = slices.centre_index(raw.mask > 0)
        rows.append(_row(raw, index, [(raw.mask, MASK_COLOUR)], width_px))
    if brain is not None:
        index = slices.index_at(brain.affine, brain.volume.shape, np.asarray(centre_mm))
        outlines = [(template_mask, TEMPLATE_COLOUR), (brain.mask, MASK_COLOUR)]
        rows.append(_row(brain, index, outlines, width_px))
    if not rows:
        message = "No stage of this scan has an image."
        raise style.NothingToShow(message)
    return _stack(rows)


def _row(
    head: Head, index: tuple[int, ...], masks: list[tuple[np.ndarray, str]], width_px: int
) -> Image.Image:
    pixel_mm = _pixel_mm(head, width_px)
    grey = slices.strip(head.volume, head.affine, index, pixel_mm)
    outlines = [
        (slices.strip(mask > 0, head.affine, index, pixel_mm, order=0) > 0.5, colour)
        for mask, colour in masks
    ]
    return slices.picture(slices.window(grey), outlines)


def brain_picture(brain: Head, centre_mm: tuple[float, float, float], width_px: int) -> Image.Image:
    """Picture a normalised brain alone, black to white from 0 to 1 as all others of its grid."""
    index = slices.index_at(brain.affine, brain.volume.shape, np.asarray(centre_mm))
    grey = slices.strip(brain.volume, brain.affine, index, _pixel_mm(brain, width_px))
    return slices.picture(np.clip(grey, 0, 1), [])


def _pixel_mm(head: Head, width_px: int) -> float:
    """Edge of a pixel [mm] at which the three cuts side by side are this wide."""
    extent_mm = np.asarray(head.volume.shape) * slices.voxel_sizes_mm(head.affine)
    return float((extent_mm[1] + 2 * extent_mm[0]) / width_px)


def _stack(rows: list[Image.Image]) -> Image.Image:
    whole = Image.new("RGB", (max(r.width for r in rows), sum(r.height for r in rows)))
    top = 0
    for row in rows:
        whole.paste(row, (0, top))
        top += row.height
    return whole


def save_jpeg(picture: Image.Image, path: str | Path) -> None:
    """Write a picture at about 20 kB."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, format="JPEG", quality=65, subsampling=1, optimize=True)


def reason_table(table: pd.DataFrame) -> pd.DataFrame:
    """Count scans by reason, numbers inside a reason left out: like counts with like."""
    suspect = table[table["status"] != "accepted"].dropna(subset=["reasons"])
    reasons = suspect.assign(reason=suspect["reasons"].astype(str).str.split("; "))
    reasons = reasons.explode("reason")
    if reasons.empty:
        return pd.DataFrame()
    kind = reasons["reason"].str.replace(r"(?<![\w.])-?\d[\d.,]*", "…", regex=True)
    counts = reasons.assign(kind=kind).groupby(["status", "kind"])["scan"].nunique()
    named = counts.rename("scans").reset_index().rename(columns={"kind": "reason"})
    return named.sort_values("scans", ascending=False, kind="stable")


def extreme_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return for every number the scan farthest from the median, largest distance first."""
    rows = []
    for name in numeric_columns(table):
        values = pd.to_numeric(table[name])
        spread = 1.4826 * (values - values.median()).abs().median()
        if not spread > 0:
            continue
        scores = (values - values.median()) / spread
        where = int(scores.abs().to_numpy().argmax())
        row = table.iloc[where]
        rows.append(
            {
                "number": style.quantity(name),
                "scan": row["scan"],
                "status": row["status"],
                "value": float(values.iloc[where]),
                "median": float(values.median()),
                "z": round(float(scores.iloc[where]), 1),
            }
        )
    return pd.DataFrame(rows).sort_values("z", key=abs, ascending=False) if rows else pd.DataFrame()


def plot_numbers(table: pd.DataFrame) -> Figure:
    """Plot the distribution of every number in ``qc.tsv``, stacked by status."""
    names = numeric_columns(table)
    if not names:
        message = "The quality table holds no numbers: no scan was preprocessed."
        raise style.NothingToShow(message)
    columns = 4
    rows = -(-len(names) // columns)
    figure, axes = style.new_figure(rows, columns, height_in=0.4 + 1.7 * rows)
    flat = axes.ravel()
    present = [status for status in style.STATUS_COLOURS if (table["status"] == status).any()]
    for panel, name in zip(flat, names, strict=False):
        values = [table.loc[table["status"] == status, name].dropna() for status in present]
        colours = [style.STATUS_COLOURS[status] for status in present]
        panel.hist(values, bins=20, stacked=True, color=colours, label=present)
        panel.set_xlabel(style.quantity(name))
        panel.set_ylabel("scans")
    flat[0].legend()
    style.hide(flat[len(names) :])
    return figure
