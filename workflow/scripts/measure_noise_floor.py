"""Gather how far volumes differ when nothing changed."""

from brainlapse import runtime
from brainlapse.rejection import read_rejection
from brainlapse.segmentation.noise_floor import measure_floor


def main(snakemake) -> None:
    """Unpack the job, gather, write the table."""
    runtime.start(snakemake)
    # A notice stands in place of a scan that went through once, but not when it was turned.
    repeats = [path for path in snakemake.input.repeats if read_rejection(path) is None]
    runtime.write_table(snakemake.output.floor, measure_floor(map(runtime.read_table, repeats)))


main(snakemake)
