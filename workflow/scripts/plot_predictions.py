"""Show each person's last scan and the forecasts that were asked for, still and moving."""

from pathlib import Path

from brainlapse import runtime
from brainlapse.figures import style
from brainlapse.figures.ageing.predictions import (
    MOST_PEOPLE,
    PLAN_COLUMNS,
    load_strips,
    plot_strips,
    write_animation,
)
from brainlapse.figures.settings import ReportSettings


def main(snakemake) -> None:
    """Unpack, call, write."""
    runtime.start(snakemake)
    settings = ReportSettings.model_validate(snakemake.params.settings)
    plan = runtime.read_table(snakemake.input.predictions, PLAN_COLUMNS)
    root = Path(snakemake.input.predictions).parents[2]
    folder = Path(snakemake.output.animations)
    shown = []
    for strip in load_strips(plan, Path(snakemake.input.folder), root):
        name = f"{strip.dataset}/{strip.subject}.gif"
        write_animation(strip, settings.slice_centre_mm, folder / name)
        if len(shown) < MOST_PEOPLE:
            shown.append(strip)
    look = (settings.slice_centre_mm, settings.max_error)
    dpi = {"dots_per_inch": settings.dots_per_inch}
    style.draw(snakemake.output.figure, plot_strips, shown, *look, **dpi)


main(snakemake)
