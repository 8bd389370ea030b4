"""Measure how far groups of people stand apart in the components of one autoencoder's latents."""

from brainlapse import runtime
from brainlapse.analysis.separation import tabulate_separation
from brainlapse.cohort.tables import SCAN
from brainlapse.latents import read_index


def main(snakemake) -> None:
    """Unpack the job, measure, write the table."""
    runtime.start(snakemake)
    scores = runtime.read_table(snakemake.input.scores, SCAN)
    index = read_index(snakemake.input.index)
    table = tabulate_separation(scores, index, snakemake.params.seed)
    runtime.write_table(snakemake.output.separation, table)


main(snakemake)
