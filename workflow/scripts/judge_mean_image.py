"""Compare scans with the mean training scan: what a network that knows nobody would reach."""

import pandas as pd

from brainlapse import runtime
from brainlapse.cohort.tables import SPLIT_SCAN
from brainlapse.images import load_volume
from brainlapse.space import SpaceSettings, mni_grid
from brainlapse.streaming import in_flight
from brainlapse.training.devices.device import choose_device
from brainlapse.training.encoding.judging import judge, perceptual_distance


def main(snakemake) -> None:
    """Unpack the job, compare, write the table."""
    runtime.start(snakemake)
    params, paths = snakemake.params, snakemake.input
    grid, device = mni_grid(SpaceSettings.model_validate(params.space)), choose_device()
    image, _ = load_volume(paths.image)

    index, workers = pd.DataFrame(params.scans), snakemake.threads
    distance = perceptual_distance(grid, device) if params.perceptual else None
    metrics = in_flight(
        lambda files: judge(image, *files, distance).metrics,
        zip(paths.brains, paths.masks, strict=True),
        workers,
        ahead=workers,
    )
    rows = pd.DataFrame(runtime.progress(metrics, "mean image", len(index)))
    runtime.write_table(
        snakemake.output.table, pd.concat([index[SPLIT_SCAN], rows], axis="columns")
    )


main(snakemake)
