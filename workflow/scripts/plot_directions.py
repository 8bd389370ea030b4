"""Plot brains along the components of one autoencoder's latents, and maps of its tasks."""

from pathlib import Path

import numpy as np
import pandas as pd

from brainlapse import runtime
from brainlapse.figures import style, tables
from brainlapse.figures.models import directions
from brainlapse.figures.settings import ReportSettings
from brainlapse.images import load_volume


def main(snakemake) -> None:
    """Unpack, read, call, write."""
    runtime.start(snakemake)
    paths, output, sd = snakemake.input, snakemake.output, snakemake.params.walk_sd
    settings = ReportSettings.model_validate(snakemake.params.settings)
    read = {path.name.removesuffix(".nii.gz"): load_volume(path) for path in _images(paths.walks)}
    walks = {name: volume for name, (volume, _) in read.items()}
    affine = read["mean"][1] if read else np.eye(4)
    found = [tables.read(path, tables.TASK_METRICS) for path in paths.metrics]
    metrics = pd.concat([pd.DataFrame(columns=["task", "metric"]), *found])
    maps, titles = {}, {}
    for row in tables.read(paths.table, tables.DIRECTIONS).dropna(subset="file").to_dict("records"):
        task = row["task"]
        maps[task] = load_volume(Path(paths.directions, f"{task}.nii.gz"))[0]
        titles[task] = directions.task_title(row, metrics[metrics["task"] == task], sd)
    variance = tables.read(paths.variance, tables.PCA_VARIANCE)
    centre_mm, dpi = settings.slice_centre_mm, {"dots_per_inch": settings.dots_per_inch}
    arguments = (walks, affine, variance, centre_mm, sd)
    style.draw(output.walks, directions.plot_walks, *arguments, **dpi)
    mapped = (walks.get("mean"), maps, affine, titles, centre_mm)
    style.draw(output.directions, directions.plot_directions, *mapped, **dpi)


def _images(folder: str) -> list[Path]:
    return sorted(Path(folder).glob("*.nii.gz"))


main(snakemake)
