"""Hold the volumes of interpolated scans against the line between those of the real ones."""

from brainlapse import runtime
from brainlapse.aging.linearity import (
    interpolated_volumes,
    measure_linearity,
    summarise_linearity,
)
from brainlapse.aging.plan import INTERPOLATION_COLUMNS
from brainlapse.aging.settings import AgingSettings
from brainlapse.segmentation.reading import read_volumes


def main(snakemake) -> None:
    """Unpack the job, measure, write the table."""
    runtime.start(snakemake)
    paths, model = snakemake.input, snakemake.wildcards.model
    settings = AgingSettings.model_validate(snakemake.params.settings)
    plan = runtime.read_table(paths.interpolations, INTERPOLATION_COLUMNS)
    listed = paths.interpolations, plan
    volumes = read_volumes(paths.volumes, model=model, interpolations=listed)
    curves = interpolated_volumes(volumes, plan, model)
    table = measure_linearity(curves, settings)
    if table.empty:
        runtime.log.info("No interpolated scans to measure")
    runtime.write_table(snakemake.output.curves, curves)
    runtime.write_table(snakemake.output.linearity, table)
    runtime.write_table(snakemake.output.summary, summarise_linearity(table))


main(snakemake)
