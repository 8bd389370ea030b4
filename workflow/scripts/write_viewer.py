"""Write the page on which one slides the age of a person's brain."""

from pathlib import Path

from brainlapse import runtime
from brainlapse.figures.settings import ReportSettings
from brainlapse.figures.viewer import page, people


def main(snakemake) -> None:
    """Unpack, call, write."""
    runtime.start(snakemake)
    params, first = snakemake.params, Path(snakemake.output.page)
    settings = ReportSettings.model_validate(params.settings)
    source = people.read_source(first.parents[1], params.model)
    shown = people.collect(source, settings.viewer.subjects, settings.viewer.series)
    look = page.Look(settings.title, params.model, params.voxel_mm, settings.slice_centre_mm)
    page.write_pages(page.build_pages(shown, look, settings.viewer.page_mb), first)


main(snakemake)
