"""Hold the regional errors of every scan against those of training and of validation people."""

import pandas as pd

from brainlapse import runtime
from brainlapse.analysis.anomaly import ERROR_COLUMNS, tabulate_anomalies
from brainlapse.latents import read_index


def main(snakemake) -> None:
    """Unpack the job, score, write the table."""
    runtime.start(snakemake)
    tables = [runtime.read_table(path, ERROR_COLUMNS) for path in snakemake.input.tables]
    errors = pd.concat(tables, ignore_index=True)
    index = read_index(snakemake.input.index)
    runtime.write_table(snakemake.output.anomaly, tabulate_anomalies(errors, index))


main(snakemake)
