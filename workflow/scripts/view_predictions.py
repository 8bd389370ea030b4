"""Write the page on which one slides the age of the people that someone asked for."""

from pathlib import Path

from brainlapse import runtime
from brainlapse.figures.settings import ReportSettings
from brainlapse.figures.viewer import page
from brainlapse.figures.viewer.requested import collect_requested

NOBODY = "Nobody to show: no request could be answered, see refused.tsv."


def main(snakemake) -> None:
    """Unpack, call, write."""
    runtime.start(snakemake)
    params, first = snakemake.params, Path(snakemake.output.page)
    settings = ReportSettings.model_validate(params.settings)
    model = snakemake.wildcards.model
    shown = collect_requested(first.parents[2], model)
    centre = settings.slice_centre_mm
    look = page.Look(f"{settings.title}: forecasts", model, params.voxel_mm, centre, NOBODY)
    page.write_pages(page.build_pages(shown, look, settings.viewer.page_mb), first)


main(snakemake)
