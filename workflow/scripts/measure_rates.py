"""Fit each person's yearly change of each region."""

from brainlapse import runtime
from brainlapse.cohort.tables import read_scans
from brainlapse.segmentation.rates import tabulate_rates
from brainlapse.segmentation.volumes import VOLUME_COLUMNS

QUALITY_COLUMNS = ("dataset", "scan", "status")


def main(snakemake) -> None:
    """Unpack the job, fit, write the table."""
    runtime.start(snakemake)
    volumes = runtime.read_table(snakemake.input.volumes, VOLUME_COLUMNS)
    quality = runtime.read_table(snakemake.input.quality, QUALITY_COLUMNS)
    scans = read_scans(snakemake.input.scans)
    runtime.write_table(snakemake.output.rates, tabulate_rates(volumes, scans, quality))


main(snakemake)
