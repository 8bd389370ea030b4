"""Gather how far volumes differ when nothing changed."""

from brainlapse import runtime
from brainlapse.segmentation.noise_floor import measure_floor


def main(snakemake) -> None:
    """Unpack the job, gather, write the table."""
    runtime.start(snakemake)
    repeats = map(runtime.read_table, snakemake.input.repeats)
    runtime.write_table(snakemake.output.floor, measure_floor(repeats))


main(snakemake)
