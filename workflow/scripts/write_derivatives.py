"""Lay the results out as one BIDS derivative data set per data set."""

from pathlib import Path

from brainlapse import provenance, runtime
from brainlapse.cohort.tables import PERSON, SCAN
from brainlapse.derivatives import build
from brainlapse.latents import read_index
from brainlapse.segmentation.columns import FORECAST_COLUMNS, RATE_COLUMNS, VOLUME_COLUMNS


def main(snakemake) -> None:
    """Unpack, call, write."""
    runtime.start(snakemake)
    models = list(snakemake.params.models)
    inputs = snakemake.input
    predictions = [runtime.read_table(path, FORECAST_COLUMNS) for path in inputs.predictions]
    reconstructions = [runtime.read_table(path, [*SCAN, "file"]) for path in inputs.reconstructions]
    errors = [runtime.read_table(path, PERSON) for path in inputs.errors]
    sources = build.Sources(
        root=Path(snakemake.output.folder).parent,
        scans=read_index(inputs.scans),
        volumes=runtime.read_table(inputs.volumes, VOLUME_COLUMNS),
        rates=runtime.read_table(inputs.rates, RATE_COLUMNS),
        forecasts=dict(zip(models, predictions, strict=True)),
        reconstructions=dict(zip(models, reconstructions, strict=True)),
        tables={f"forecasts_{m}": table for m, table in zip(models, errors, strict=True)},
    )
    build.build(sources, Path(snakemake.output.folder), provenance.versions())


main(snakemake)
