"""Compare regional volumes of forecasts and baselines with those observed."""

from brainlapse import runtime
from brainlapse.aging.errors import score_forecasts, summarise_errors
from brainlapse.aging.evaluation.choice import choose_methods, compare_methods
from brainlapse.aging.evaluation.groups import group_errors
from brainlapse.aging.evaluation.intervals import measure_coverage
from brainlapse.aging.evaluation.matched import match_errors
from brainlapse.aging.plan import FORECAST_COLUMNS, sees_all
from brainlapse.aging.rates import read_rates
from brainlapse.latents import read_index
from brainlapse.segmentation.reading import read_volumes


def main(snakemake) -> None:
    """Unpack the job, score, write the errors and their summary."""
    runtime.start(snakemake)
    paths, model = snakemake.input, snakemake.wildcards.model
    predictions = runtime.read_table(paths.predictions, FORECAST_COLUMNS)
    index = read_index(paths.index)
    volumes = read_volumes(
        paths.volumes, (paths.index, index), model, (paths.predictions, predictions)
    )
    backends = set(volumes["backend"].dropna())
    brought = read_rates(paths.rates, snakemake.params.anchor).measured_by(backends)
    errors = score_forecasts(predictions, volumes, index, model, brought)
    if errors.empty:
        runtime.log.info("No forecast could be scored")
    whole = sees_all(errors)
    tables = {
        "errors": whole,
        "summary": summarise_errors(whole),
        "matched": match_errors(errors),
        "comparisons": compare_methods(whole),
        "coverage": measure_coverage(whole),
        "choice": choose_methods(whole),
        "groups": group_errors(whole, index),
    }
    for name, table in tables.items():
        runtime.write_table(snakemake.output[name], table)


main(snakemake)
