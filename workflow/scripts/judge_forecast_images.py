"""Compare the forecast images of a block of people with the scans observed."""

import pandas as pd

from brainlapse import runtime
from brainlapse.aging.evaluation.images import IMAGE_ERROR_COLUMNS, judge_images
from brainlapse.aging.plan import FORECAST_COLUMNS


def main(snakemake) -> None:
    """Unpack the job, compare, write the table."""
    runtime.start(snakemake)
    inputs, params = snakemake.input, snakemake.params
    plan = runtime.read_table(inputs.forecasts, FORECAST_COLUMNS)
    plan["file"] = [name.removeprefix(f"{params.folder_name}/") for name in plan["file"]]
    targets = len(plan[["dataset", "subject", "scan", "last_scan"]].drop_duplicates())
    judged = judge_images(plan, params.preprocessed, inputs.rebuilt, inputs.predicted)
    rows = [row for rows in runtime.progress(judged, "target", targets) for row in rows]
    runtime.write_table(snakemake.output.table, pd.DataFrame(rows, columns=IMAGE_ERROR_COLUMNS))


main(snakemake)
