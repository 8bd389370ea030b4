"""Plot forecast scans, volume trajectories and errors of one autoencoder."""

from pathlib import Path

from brainlapse import runtime
from brainlapse.aging.plan import sees_all
from brainlapse.figures import style, tables
from brainlapse.figures.ageing import curves as ageing
from brainlapse.figures.ageing import examples, forecasts
from brainlapse.figures.ageing.matched import plot_matched
from brainlapse.figures.settings import ReportSettings


def main(snakemake) -> None:
    """Unpack, call, write."""
    runtime.start(snakemake)
    settings = ReportSettings.model_validate(snakemake.params.settings)
    files, figures = snakemake.input, snakemake.output
    scans = tables.read(files.scans, tables.SCANS)
    predictions = sees_all(tables.read(files.predictions, tables.FORECASTS))
    chosen = ageing.choose(predictions, settings.forecast_subjects)
    root = Path(files.volumes).parents[1]
    rebuilt = tables.read(files.reconstructed, tables.RECONSTRUCTION)
    loaded = examples.load_forecasts(chosen, scans, root, rebuilt)
    volumes = ageing.trajectories(
        sees_all(tables.read(files.volumes, tables.VOLUMES)),
        *(scans, predictions, snakemake.wildcards.model),
    )
    errors = tables.read(files.errors, tables.ERRORS)
    matched = tables.read(files.matched, tables.MATCHED)
    most, look = settings.forecast_subjects, (settings.slice_centre_mm, settings.max_error)
    dpi = {"dots_per_inch": settings.dots_per_inch}
    style.draw(figures.forecasts, forecasts.plot_forecasts, loaded, *look, **dpi)
    style.draw(figures.trajectories, forecasts.plot_trajectories, volumes, chosen, most, **dpi)
    style.draw(figures.errors, forecasts.plot_errors, errors, **dpi)
    style.draw(figures.matched, plot_matched, matched, **dpi)


main(snakemake)
