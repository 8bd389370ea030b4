"""Measure how straight regional volumes run along interpolated scans."""

from brainlapse import runtime
from brainlapse.aging.linearity import measure_linearity
from brainlapse.segmentation.reading import read_volumes


def main(snakemake) -> None:
    """Unpack the job, measure, write the table."""
    runtime.start(snakemake)
    paths, model = snakemake.input, snakemake.wildcards.model
    plan = paths.interpolations, runtime.read_table(paths.interpolations)
    table = measure_linearity(read_volumes(paths.volumes, model=model, interpolations=plan), model)
    if table.empty:
        runtime.log.info("No interpolated scans to measure")
    runtime.write_table(snakemake.output.linearity, table)


main(snakemake)
