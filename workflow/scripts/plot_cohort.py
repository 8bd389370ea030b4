"""Plot ages, visits and groups of the cohort."""

from brainlapse import runtime
from brainlapse.figures import style, tables
from brainlapse.figures.scans import cohort


def main(snakemake) -> None:
    """Unpack, call, write."""
    runtime.start(snakemake)
    scans = tables.read(snakemake.input.scans, tables.SCANS)
    style.draw(
        snakemake.output.figure,
        cohort.plot_cohort,
        scans,
        dots_per_inch=snakemake.params.dots_per_inch,
    )


main(snakemake)
