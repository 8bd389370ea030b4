"""Put all models into one table, and mark the best where that is sure."""

import pandas as pd

from brainlapse import runtime
from brainlapse.analysis import models
from brainlapse.analysis.settings import TaskSettings


def main(snakemake) -> None:
    """Unpack the job, compare measure by measure, write the table."""
    runtime.start(snakemake)
    paths, params = snakemake.input, snakemake.params
    names, seed = [*params.models, models.MEAN_IMAGE], params.seed  # the last one may be missing
    images = _read(names, [*paths.images, *paths.mean_image])
    volumes = _read(names, [*paths.volumes, *paths.mean_image_volumes])
    tasks = [TaskSettings.model_validate(task) for task in params.tasks]
    of_task = [
        _read(params.models, list(paths.tasks)[number :: len(tasks)])
        for number in range(len(tasks))
    ]
    judged = [models.compare_task(*pair, seed) for pair in zip(tasks, of_task, strict=True)]
    parts = [
        *models.compare_images(images, seed),
        *models.compare_volumes(volumes, seed),
        models.list_separations(_read(params.models, paths.separation)),
        *(part for part in judged if part is not None),
        *models.compare_forecasts(_read(params.models, paths.forecasts), seed),
    ]
    filled = [part for part in parts if len(part)]
    table = pd.concat(filled) if filled else pd.DataFrame(columns=models.MODEL_COLUMNS)
    runtime.write_table(snakemake.output.table, table)


def _read(names: list[str], paths: list[str]) -> dict[str, pd.DataFrame]:
    """Read a table per model, the last of which may have none."""
    return {name: runtime.read_table(path) for name, path in zip(names, paths, strict=False)}


main(snakemake)
