"""Writing the quality pictures of many scans, one at a time."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brainlapse import runtime
from brainlapse.figures import loading
from brainlapse.figures.scans import quality
from brainlapse.figures.settings import ReportSettings
from brainlapse.figures.style import NothingToShow


def write_pictures(
    rows: Iterable[Mapping[str, Any]],
    compared: set[tuple[str, str]],
    preprocessed: Path,
    template_mask: np.ndarray,
    folder: Path,
    settings: ReportSettings,
) -> None:
    """Write JPEGs of each scan and ``index.tsv`` with dataset, scan, file and brain_file.

    Parameters
    ----------
    rows
        Rows of ``qc.tsv``, in the order of the page.
    compared
        Dataset and scan of visits that were held against each other: a second picture, of the
        brain alone, lets a person flip between them.
    preprocessed
        Folder of the preprocessed scans.
    template_mask
        Brain of the template on the grid.
    folder
        Receives the pictures.
    settings
        Cut and width of the pictures.
    """
    rows = list(rows)
    index = []
    for number, row in enumerate(runtime.progress(rows, "quality pictures", len(rows))):
        names = {"dataset": row["dataset"], "scan": row["scan"], "file": None, "brain_file": None}
        stem = loading.stem_of(row)
        head = loading.raw_head(preprocessed, stem)
        brain = loading.mni_brain(preprocessed, stem)
        cut = settings.slice_centre_mm, settings.picture_width_px
        # Names of scans come from outside: none becomes a file name.
        try:
            picture = quality.quality_picture(head, brain, template_mask, *cut)
        except NothingToShow:
            index.append(names)
            continue
        names["file"] = f"{number:05d}.jpg"
        quality.save_jpeg(picture, folder / names["file"])
        if brain is not None and (row["dataset"], row["scan"]) in compared:
            names["brain_file"] = f"{number:05d}-brain.jpg"
            quality.save_jpeg(quality.brain_picture(brain, *cut), folder / names["brain_file"])
        index.append(names)
    folder.mkdir(parents=True, exist_ok=True)
    columns = ["dataset", "scan", "file", "brain_file"]
    runtime.write_table(folder / "index.tsv", pd.DataFrame(index, columns=columns))
