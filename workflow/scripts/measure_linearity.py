"""Measure how straight regional volumes run along interpolated scans."""

from brainlapse import runtime
from brainlapse.aging.linearity import measure_linearity


def main(snakemake) -> None:
    """Unpack the job, measure, write the table."""
    runtime.start(snakemake)
    volumes = runtime.read_table(snakemake.input.volumes)
    table = measure_linearity(volumes, snakemake.wildcards.model)
    if table.empty:
        runtime.log.info("No interpolated scans to measure")
    runtime.write_table(snakemake.output.linearity, table)


main(snakemake)
