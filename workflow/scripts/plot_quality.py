"""Picture the preprocessing of scans and plot the quality numbers."""

from pathlib import Path

from brainlapse import runtime
from brainlapse.figures import style, tables
from brainlapse.figures.scans import gallery, order, quality
from brainlapse.figures.settings import ReportSettings
from brainlapse.space import SpaceSettings, mni_grid
from brainlapse.template import load_template


def main(snakemake) -> None:
    """Unpack, call, write."""
    runtime.start(snakemake)
    settings = ReportSettings.model_validate(snakemake.params.settings)
    grid = mni_grid(SpaceSettings.model_validate(snakemake.params.space))
    table = tables.read(snakemake.input.table, tables.QUALITY)
    rows = order.pictured(table.to_dict("records"), settings.max_qc_pictures)
    gallery.write_pictures(
        rows,
        order.paired_scans(tables.read(snakemake.input.visits, tables.VISITS)),
        Path(snakemake.input.table).parent,
        load_template(grid).brain_mask > 0,
        Path(snakemake.output.pictures),
        settings,
    )
    style.draw(
        snakemake.output.figure,
        quality.plot_numbers,
        table,
        dots_per_inch=settings.dots_per_inch,
    )


main(snakemake)
