"""Fit each person's yearly change of each region; put groups beside each other."""

from brainlapse import runtime
from brainlapse.cohort.tables import SCAN, read_scans
from brainlapse.segmentation.columns import VOLUME_COLUMNS
from brainlapse.segmentation.group_rates import tabulate_groups
from brainlapse.segmentation.rates import tabulate_rates


def main(snakemake) -> None:
    """Unpack the job, fit, compare, write the tables."""
    runtime.start(snakemake)
    volumes = runtime.read_table(snakemake.input.volumes, VOLUME_COLUMNS)
    quality = runtime.read_table(snakemake.input.quality, [*SCAN, "status"])
    scans = read_scans(snakemake.input.scans)
    rates = tabulate_rates(volumes, scans, quality)
    runtime.write_table(snakemake.output.rates, rates)
    runtime.write_table(snakemake.output.groups, tabulate_groups(rates, scans))


main(snakemake)
