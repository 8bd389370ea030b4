"""Fit the methods that learn from training people to the latents, once for all forecasts."""

from pathlib import Path

from brainlapse import runtime
from brainlapse.aging.rate_fitting import rates_of_run
from brainlapse.aging.rates import pack_rates, read_rates
from brainlapse.aging.settings import AgingSettings
from brainlapse.latents import read_blocks


def main(snakemake) -> None:
    """Unpack the job, fit, write the rates."""
    runtime.start(snakemake)
    anchor = AgingSettings.model_validate({}).anchor  # readers put their own in its place
    mean, index = read_blocks([Path(path).parent for path in snakemake.input.latents])
    rates = rates_of_run(mean, index, read_rates(snakemake.input.brought, anchor))
    runtime.log.info("fitted: %s", ", ".join(rates.latents) or "nothing, nobody tells a rate")
    with runtime.atomic_path(snakemake.output.rates) as temporary:
        temporary.write_bytes(pack_rates(rates))


main(snakemake)
