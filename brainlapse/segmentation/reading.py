"""Reading ``volumes.tsv`` back: whole, and for exactly the images that the run planned."""

from pathlib import Path

import pandas as pd

from brainlapse.cohort.tables import SCAN
from brainlapse.damage import DamagedFile, check_agree
from brainlapse.runtime import read_table
from brainlapse.segmentation.columns import MEASURED_COLUMNS

SEEN = ["method", "n_scans_seen", "n_scans_so_far"]
IMAGE = ["dataset", "subject", "scan", "model", "kind", *SEEN, "alpha"]
COLUMNS = [*IMAGE, "region", "volume_mm3", "intracranial_share", "backend"]
FORECAST = [*SCAN, *SEEN]
INTERPOLATION = ["dataset", "subject", "method", "alpha"]

Listed = tuple[str | Path, pd.DataFrame]
"""A table that says which images there are, and the file it came from."""


def read_volumes(
    path: str | Path,
    scans: Listed | None = None,
    model: str | None = None,
    forecasts: Listed | None = None,
    interpolations: Listed | None = None,
) -> pd.DataFrame:
    """Read the volumes of a run.

    Parameters
    ----------
    path
        ``volumes.tsv``.
    scans
        Usable scans: each must have its real volumes and, where a model is named, reconstructed
        ones; training scans have these all or not at all (`SegmentationSettings`).
    model
        Name of an autoencoder.
    forecasts, interpolations
        ``predictions.tsv`` and ``interpolations.tsv`` of the model.

    Raises
    ------
    DamagedFile
        If an image lacks regions, or the tables don't hold the same images.
    """
    volumes = read_table(path, COLUMNS)
    check_regions(path, volumes, IMAGE)
    if scans:
        _agree(path, volumes[volumes["kind"] == "real"], scans, SCAN)
    mine = volumes[volumes["model"] == model]
    if scans and model:
        made = mine[mine["kind"] == "reconstructed"]
        _agree(path, made, (scans[0], _reconstructed(scans[1], made)), SCAN)
    if forecasts:
        _agree(path, mine[mine["kind"] == "predicted"], forecasts, FORECAST)
    if interpolations:
        _agree(path, mine[mine["kind"] == "interpolated"], interpolations, INTERPOLATION)
    return volumes


def read_measured(path: str | Path) -> pd.DataFrame:
    """Read the volumes of one subject's images; each must have all regions (`DamagedFile`)."""
    table = read_table(path, MEASURED_COLUMNS)
    check_regions(path, table, ["file"])
    return table


def _reconstructed(scans: pd.DataFrame, made: pd.DataFrame) -> pd.DataFrame:
    """Choose scans whose reconstructions are expected: training ones too, if one of them is."""
    held_out = held_out_scans(scans)
    return scans if len(made.merge(scans.drop(held_out.index), on=SCAN)) else held_out


def held_out_scans(scans: pd.DataFrame) -> pd.DataFrame:
    """Keep the scans that trained no weights, where the table knows the split."""
    return scans[scans["split"] != "train"] if "split" in scans else scans


def check_regions(path: str | Path, volumes: pd.DataFrame, image: list[str]) -> None:
    """Refuse a table in which an image lacks a region that others have (`DamagedFile`)."""
    counts = volumes.groupby(image, dropna=False)["region"].nunique()
    if len(counts) and counts.min() < volumes["region"].nunique():
        cells = counts.reset_index().iloc[counts.argmin()][image]
        words = " ".join(map(str, cells.dropna()))
        raise DamagedFile(path, f"not all regions of {words}")


def _agree(path: str | Path, rows: pd.DataFrame, listed: Listed, keys: list[str]) -> None:
    other, table = listed
    check_agree(path, _keys(rows, keys), other, _keys(table, keys), "images")


def _keys(table: pd.DataFrame, columns: list[str]) -> set[tuple[str, ...]]:
    """Rows as words: numbers are the same however a table writes them."""
    plain = [
        pd.to_numeric(table[name]).map("{:g}".format)
        if name in ("alpha", *SEEN[1:])
        else table[name].astype(str)
        for name in columns
        if name in table
    ]
    return set(zip(*plain, strict=True))
