"""Gather the regional volumes of the whole run in one table."""

import pandas as pd

from brainlapse import runtime
from brainlapse.cohort.tables import SCAN, read_scans
from brainlapse.segmentation.columns import (
    FORECAST_COLUMNS,
    INTERPOLATION_COLUMNS,
    QUALITY_COLUMNS,
)
from brainlapse.segmentation.reading import held_out_scans, read_measured
from brainlapse.segmentation.volumes import (
    describe_aligned,
    describe_forecasts,
    describe_interpolations,
    describe_scans,
    join_volumes,
)


def main(snakemake) -> None:
    """Unpack the job, join, write the table."""
    runtime.start(snakemake)
    models = snakemake.params.models
    quality = runtime.read_table(snakemake.input.quality, QUALITY_COLUMNS)
    measured = stack(list(map(read_measured, snakemake.input.tables)))
    described = [describe_scans(quality, "real", None), describe_aligned(quality, measured)]
    rebuilt = quality
    if snakemake.params.held_out_only:
        splits = read_scans(snakemake.input.scans)[[*SCAN, "split"]]
        rebuilt = held_out_scans(quality.merge(splits, on=SCAN, validate="one_to_one"))
    described += [describe_scans(rebuilt, "reconstructed", model) for model in models]
    described += [
        describe_forecasts(runtime.read_table(path, FORECAST_COLUMNS), model)
        for path, model in zip(snakemake.input.predictions, models, strict=True)
    ]
    described += [
        describe_interpolations(runtime.read_table(path, INTERPOLATION_COLUMNS), model)
        for path, model in zip(snakemake.input.interpolations, models, strict=True)
    ]
    table = join_volumes(measured, stack(described), quality)
    runtime.write_table(snakemake.output.volumes, table)


def stack(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Put tables of the same columns under each other."""
    return pd.concat([t.astype(object) for t in tables], ignore_index=True)


main(snakemake)
