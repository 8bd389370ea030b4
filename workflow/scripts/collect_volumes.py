"""Gather the regional volumes of the whole run in one table."""

import pandas as pd

from brainlapse import runtime
from brainlapse.segmentation.volumes import (
    describe_forecasts,
    describe_interpolations,
    describe_scans,
    join_volumes,
)


def main(snakemake) -> None:
    """Unpack the job, join, write the table."""
    runtime.start(snakemake)
    models = snakemake.params.models
    quality = runtime.read_table(snakemake.input.quality)
    described = [describe_scans(quality, "real", None)]
    described += [describe_scans(quality, "reconstructed", model) for model in models]
    described += [
        describe_forecasts(runtime.read_table(path), model)
        for path, model in zip(snakemake.input.predictions, models, strict=True)
    ]
    described += [
        describe_interpolations(runtime.read_table(path), model)
        for path, model in zip(snakemake.input.interpolations, models, strict=True)
    ]
    measured = [runtime.read_table(path) for path in snakemake.input.tables]
    table = join_volumes(stack(measured), stack(described), quality)
    runtime.write_table(snakemake.output.volumes, table)


def stack(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Put tables of the same columns under each other."""
    return pd.concat([t.astype(object) for t in tables], ignore_index=True)


main(snakemake)
