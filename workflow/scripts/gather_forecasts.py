"""Put the tables of forecasts of all blocks of people under each other."""

import pandas as pd

from brainlapse import runtime
from brainlapse.aging.plan import FORECAST_COLUMNS, LATENT_ERRORS


def main(snakemake) -> None:
    """Unpack, gather, write."""
    runtime.start(snakemake)
    tables = [runtime.read_table(path, FORECAST_COLUMNS) for path in snakemake.input.tables]
    if not tables:
        runtime.log.info("Nobody to forecast: no held-out subject has scans at several known ages")
        tables = [pd.DataFrame(columns=[*FORECAST_COLUMNS, *LATENT_ERRORS])]
    gathered = pd.concat(tables, ignore_index=True)
    people = gathered.sort_values(["dataset", "subject"], kind="stable", ignore_index=True)
    runtime.write_table(snakemake.output.predictions, people)


main(snakemake)
