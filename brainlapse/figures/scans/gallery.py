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
    preprocessed: Path,
    template_mask: np.ndarray,
    folder: Path,
    settings: ReportSettings,
) -> None:
    """Write a JPEG per scan and ``index.tsv`` with dataset, scan and file.

    Parameters
    ----------
    rows
        Rows of ``qc.tsv``, in the order of the page.
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
        stem = loading.stem_of(row)
        name: str | None = (
            f"{number:05d}.jpg"  # names of scans come from outside: none becomes a file name
        )
        try:
            picture = quality.quality_picture(
                loading.raw_head(preprocessed, stem),
                loading.mni_brain(preprocessed, stem),
                template_mask,
                settings.slice_centre_mm,
                settings.picture_width_px,
            )
            quality.save_jpeg(picture, folder / str(name))
        except NothingToShow:
            name = None
        index.append({"dataset": row["dataset"], "scan": row["scan"], "file": name})
    folder.mkdir(parents=True, exist_ok=True)
    columns = ["dataset", "scan", "file"]
    runtime.write_table(folder / "index.tsv", pd.DataFrame(index, columns=columns))
