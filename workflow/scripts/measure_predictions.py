"""Regional volumes of requested forecasts."""

from pathlib import Path

import pandas as pd

from brainlapse import runtime
from brainlapse.aging.rates import read_rates
from brainlapse.cohort.tables import SCAN
from brainlapse.latents import read_index
from brainlapse.prediction.requests import PLAN_COLUMNS
from brainlapse.prediction.volumes import tabulate_predictions
from brainlapse.segmentation.backends import segment_scans
from brainlapse.segmentation.reading import read_volumes
from brainlapse.segmentation.settings import SegmentationSettings


def main(snakemake) -> None:
    """Unpack the job, segment forecasts and last reconstructions, write the table."""
    runtime.start(snakemake)
    inputs = snakemake.input
    settings = SegmentationSettings.model_validate(snakemake.params.settings)
    plan = runtime.read_table(inputs.predictions, PLAN_COLUMNS)
    rebuilt = runtime.read_table(inputs.reconstructed, [*SCAN, "file"]).set_index(SCAN)["file"]
    lasts = plan[["dataset", "last_scan"]].drop_duplicates()
    made = [Path(inputs.folder, file) for file in plan["file"]]
    root = Path(inputs.volumes).parents[1]
    decoded = [root / rebuilt[key] for key in lasts.itertuples(index=False, name=None)]
    found = segment_scans([*made, *decoded], settings, snakemake.threads)
    forecast = plan[["dataset", "scan", "last_scan"]].assign(found=found[: len(made)])
    last = lasts.assign(rebuilt=found[len(made) :])
    rows = [
        {
            "dataset": row["dataset"],
            "scan": row["scan"],
            "region": region,
            "volume_mm3": volume_mm3,
            "rebuilt_mm3": row["rebuilt"].volumes_mm3[region],
        }
        for row in forecast.merge(last, on=["dataset", "last_scan"]).to_dict("records")
        for region, volume_mm3 in row["found"].volumes_mm3.items()
    ]
    names = ["dataset", "scan", "region", "volume_mm3", "rebuilt_mm3"]
    measured = pd.DataFrame(rows, columns=names)
    index = read_index(inputs.index)
    volumes = read_volumes(inputs.volumes)
    brought = read_rates(inputs.rates, snakemake.params.anchor)
    brought = brought.measured_by(set(volumes["backend"].dropna()))
    table = tabulate_predictions(plan, measured, volumes, index, brought)
    runtime.write_table(snakemake.output.volumes, table)


main(snakemake)
