"""Tabulate how well one autoencoder gives scans back, by group and beside the mean image."""

from brainlapse import runtime
from brainlapse.analysis.reconstructions import summarise_reconstructions


def main(snakemake) -> None:
    """Unpack, call, write."""
    runtime.start(snakemake)
    paths = snakemake.input
    baselines = [runtime.read_table(path) for path in paths.baseline]  # one or none
    summary = summarise_reconstructions(
        runtime.read_table(paths.table),
        runtime.read_table(paths.index),
        *baselines,
    )
    runtime.write_table(snakemake.output.summary, summary)


main(snakemake)
