"""Compare regional volumes of forecasts and baselines with those observed."""

from brainlapse import runtime
from brainlapse.aging.errors import score_forecasts, summarise_errors
from brainlapse.segmentation.reading import read_volumes


def main(snakemake) -> None:
    """Unpack the job, score, write the errors and their summary."""
    runtime.start(snakemake)
    paths, model = snakemake.input, snakemake.wildcards.model
    predictions, index = runtime.read_table(paths.predictions), runtime.read_table(paths.index)
    volumes = read_volumes(
        paths.volumes, (paths.index, index), model, (paths.predictions, predictions)
    )
    errors = score_forecasts(predictions, volumes, index, model)
    if errors.empty:
        runtime.log.info("No forecast could be scored")
    runtime.write_table(snakemake.output.errors, errors)
    runtime.write_table(snakemake.output.summary, summarise_errors(errors))


main(snakemake)
