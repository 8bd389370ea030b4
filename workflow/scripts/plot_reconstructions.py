"""Plot the best, the median and the worst reconstruction of one autoencoder."""

from pathlib import Path

from brainlapse import runtime
from brainlapse.figures import style, tables
from brainlapse.figures.ageing import examples
from brainlapse.figures.models import reconstructions
from brainlapse.figures.settings import ReportSettings


def main(snakemake) -> None:
    """Unpack, call, write."""
    runtime.start(snakemake)
    settings = ReportSettings.model_validate(snakemake.params.settings)
    table = tables.read(snakemake.input.table, tables.RECONSTRUCTION)
    loaded = examples.load_reconstructions(
        reconstructions.choose(table),
        tables.read(snakemake.input.scans, tables.SCANS),
        Path(snakemake.input.scans).parents[1],
    )
    style.draw(
        snakemake.output.figure,
        reconstructions.plot_examples,
        loaded,
        settings.slice_centre_mm,
        settings.max_error,
        dots_per_inch=settings.dots_per_inch,
    )


main(snakemake)
