"""Plot forecast scans, volume trajectories, errors and linearity of one autoencoder."""

from pathlib import Path

from brainlapse import runtime
from brainlapse.figures import ageing, examples, style, tables
from brainlapse.figures.settings import ReportSettings


def main(snakemake) -> None:
    """Unpack, call, write."""
    runtime.start(snakemake)
    settings = ReportSettings.model_validate(snakemake.params.settings)
    files, figures = snakemake.input, snakemake.output
    scans = tables.read(files.scans, tables.SCANS)
    forecasts = tables.read(files.predictions, tables.FORECASTS)
    chosen = ageing.choose(forecasts, settings.forecast_subjects)
    root = Path(snakemake.params.root)
    loaded = examples.load_forecasts(chosen, scans, root, Path(files.reconstructions))
    volumes = ageing.trajectories(
        tables.read(files.volumes, tables.VOLUMES), scans, forecasts, snakemake.wildcards.model
    )
    errors = tables.read(files.errors, tables.ERRORS)
    linearity = tables.read(files.linearity, tables.LINEARITY)
    centre_mm, most, dpi = (
        settings.slice_centre_mm,
        settings.forecast_subjects,
        settings.dots_per_inch,
    )
    draw = style.draw
    draw(
        figures.forecasts,
        ageing.plot_forecasts,
        loaded,
        centre_mm,
        settings.max_error,
        dots_per_inch=dpi,
    )
    draw(figures.trajectories, ageing.plot_trajectories, volumes, chosen, most, dots_per_inch=dpi)
    draw(figures.errors, ageing.plot_errors, errors, dots_per_inch=dpi)
    draw(figures.linearity, ageing.plot_linearity, linearity, dots_per_inch=dpi)


main(snakemake)
