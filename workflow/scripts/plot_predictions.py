"""Plot each person's last scan and the forecasts that were asked for."""

from pathlib import Path

from brainlapse import runtime
from brainlapse.figures import style
from brainlapse.figures.ageing.predictions import load_strips, plot_strips
from brainlapse.figures.settings import ReportSettings


def main(snakemake) -> None:
    """Unpack, call, write."""
    runtime.start(snakemake)
    settings = ReportSettings.model_validate(snakemake.params.settings)
    plan = runtime.read_table(snakemake.input.predictions)
    root = Path(snakemake.input.predictions).parents[2]
    strips = load_strips(plan, Path(snakemake.input.folder), root)
    look = (settings.slice_centre_mm, settings.max_error)
    dpi = {"dots_per_inch": settings.dots_per_inch}
    style.draw(snakemake.output.figure, plot_strips, strips, *look, **dpi)


main(snakemake)
