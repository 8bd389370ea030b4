"""Lay the results out as one BIDS derivative data set per data set."""

from pathlib import Path

from brainlapse import provenance, runtime
from brainlapse.derivatives import build


def main(snakemake) -> None:
    """Unpack, call, write."""
    runtime.start(snakemake)
    models = list(snakemake.params.models)
    predictions = map(runtime.read_table, snakemake.input.predictions)
    reconstructions = map(runtime.read_table, snakemake.input.reconstructions)
    errors = map(runtime.read_table, snakemake.input.errors)
    sources = build.Sources(
        root=Path(snakemake.output.folder).parent,
        scans=runtime.read_table(snakemake.input.scans),
        volumes=runtime.read_table(snakemake.input.volumes),
        forecasts=dict(zip(models, predictions, strict=True)),
        reconstructions=dict(zip(models, reconstructions, strict=True)),
        tables={f"forecasts_{m}": table for m, table in zip(models, errors, strict=True)},
    )
    build.build(sources, Path(snakemake.output.folder), provenance.versions())


main(snakemake)
