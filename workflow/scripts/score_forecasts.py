"""Compare regional volumes of forecasts and baselines with those observed."""

from brainlapse import runtime
from brainlapse.aging.errors import score_forecasts, summarise_errors


def main(snakemake) -> None:
    """Unpack the job, score, write the errors and their summary."""
    runtime.start(snakemake)
    errors = score_forecasts(
        runtime.read_table(snakemake.input.predictions),
        runtime.read_table(snakemake.input.volumes),
        runtime.read_table(snakemake.input.index),
        snakemake.wildcards.model,
    )
    if errors.empty:
        runtime.log.info("No forecast could be scored")
    runtime.write_table(snakemake.output.errors, errors)
    runtime.write_table(snakemake.output.summary, summarise_errors(errors))


main(snakemake)
