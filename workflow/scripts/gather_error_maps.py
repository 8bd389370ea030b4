"""Put what the maps of all blocks hold under each other."""

import pandas as pd

from brainlapse import runtime
from brainlapse.analysis.error_maps import MAP_COLUMNS
from brainlapse.cohort.tables import SCAN


def main(snakemake) -> None:
    """Unpack, gather, write."""
    runtime.start(snakemake)
    tables = [runtime.read_table(path, MAP_COLUMNS) for path in snakemake.input.tables]
    together = pd.concat([pd.DataFrame(columns=MAP_COLUMNS), *tables], ignore_index=True)
    runtime.write_table(snakemake.output.table, together.sort_values(SCAN, ignore_index=True))


main(snakemake)
