"""Plot image metrics and volume errors of all autoencoders side by side."""

from brainlapse import runtime
from brainlapse.figures import style, tables
from brainlapse.figures.models import comparison


def main(snakemake) -> None:
    """Unpack, call, write."""
    runtime.start(snakemake)
    params, paths, figures = snakemake.params, snakemake.input, snakemake.output
    names = [*params.models, comparison.MEAN_IMAGE]  # the last one may be missing
    scores = dict(zip(names, [*paths.scores, *paths.mean_image], strict=False))
    errors = dict(zip(names, [*paths.errors, *paths.mean_image_errors], strict=False))
    dpi = {"dots_per_inch": params.dots_per_inch}
    style.draw(
        figures.images,
        comparison.plot_image_errors,
        {name: tables.read(path, tables.RECONSTRUCTION) for name, path in scores.items()},
        **dpi,
    )
    style.draw(
        figures.volumes,
        comparison.plot_volume_errors,
        {name: tables.read(path, tables.VOLUME_ERRORS) for name, path in errors.items()},
        **dpi,
    )


main(snakemake)
