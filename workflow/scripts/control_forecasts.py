"""Forecast again with the ages of training people shuffled: the gain has to go."""

from pathlib import Path

import pandas as pd

from brainlapse import runtime
from brainlapse.aging.errors import ERROR_COLUMNS
from brainlapse.aging.evaluation.control import (
    control_latents,
    control_volumes,
    summarise_control,
)
from brainlapse.aging.plan import FORECAST_COLUMNS, tells_rates
from brainlapse.aging.settings import AgingSettings
from brainlapse.cohort.tables import SCAN
from brainlapse.latents import read_latents
from brainlapse.segmentation.reading import read_volumes


def main(snakemake) -> None:
    """Unpack the job, shuffle, forecast, write the table."""
    runtime.start(snakemake)
    paths = snakemake.input
    settings = AgingSettings.model_validate(snakemake.params.settings)
    mean, index = read_latents(Path(paths.latents).parent)
    predictions = runtime.read_table(paths.predictions, FORECAST_COLUMNS)
    errors = runtime.read_table(paths.errors, ERROR_COLUMNS)
    volumes = read_volumes(paths.volumes)
    real = volumes[volumes["kind"] == "real"].set_index([*SCAN, "region"])["volume_mm3"]
    if not tells_rates(index):
        runtime.log.info("training people tell no rates: there is nothing to shuffle")
        predictions, errors = predictions.iloc[:0], errors.iloc[:0]
    tables = [
        control_latents(predictions, mean, index, settings),
        control_volumes(errors, predictions, real, index),
    ]
    runtime.write_table(snakemake.output.control, summarise_control(pd.concat(tables)))


main(snakemake)
