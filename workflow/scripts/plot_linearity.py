"""Plot the scans between two scans, and how their regional volumes run."""

from pathlib import Path

from brainlapse import runtime
from brainlapse.figures import style, tables
from brainlapse.figures.ageing import linearity
from brainlapse.figures.settings import ReportSettings


def main(snakemake) -> None:
    """Unpack, call, write."""
    runtime.start(snakemake)
    settings = ReportSettings.model_validate(snakemake.params.settings)
    files, figures = snakemake.input, snakemake.output
    planned = tables.read(files.interpolations, tables.INTERPOLATIONS)
    root = Path(files.interpolations).parents[2]
    shown = linearity.load_interpolants(planned, root, Path(files.latents).parent)
    curves = tables.read(files.curves, tables.LINEARITY_CURVES)
    table = tables.read(files.linearity, tables.LINEARITY)
    dpi = {"dots_per_inch": settings.dots_per_inch}
    look = (settings.slice_centre_mm, settings.max_error)
    style.draw(figures.interpolants, linearity.plot_interpolants, shown, *look, **dpi)
    style.draw(figures.linearity, linearity.plot_linearity, curves, table, **dpi)


main(snakemake)
