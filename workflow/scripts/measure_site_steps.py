"""Estimate by how much data set, site or scanner shifts regional volumes."""

from brainlapse import runtime
from brainlapse.analysis.sites.steps import tabulate_steps
from brainlapse.cohort.tables import SCAN, read_scans
from brainlapse.segmentation.columns import VOLUME_COLUMNS


def main(snakemake) -> None:
    """Unpack the job, estimate, write the table."""
    runtime.start(snakemake)
    volumes = runtime.read_table(snakemake.input.volumes, VOLUME_COLUMNS)
    quality = runtime.read_table(snakemake.input.quality, [*SCAN, "status"])
    steps = tabulate_steps(volumes, read_scans(snakemake.input.scans), quality)
    runtime.write_table(snakemake.output.steps, steps)


main(snakemake)
