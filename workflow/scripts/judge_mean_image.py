"""Compare every scan with the mean training scan: what a network that knows nobody would reach."""

import pandas as pd

from brainlapse import runtime
from brainlapse.images import save_volume
from brainlapse.space import SpaceSettings, mni_grid
from brainlapse.streaming import in_flight
from brainlapse.training.devices.device import choose_device
from brainlapse.training.encoding.judging import judge, mean_volume, perceptual_distance

KEYS = ["dataset", "subject", "session", "scan", "split"]


def main(snakemake) -> None:
    """Unpack the job, average the training scans, compare, write image and table."""
    runtime.start(snakemake)
    params, paths = snakemake.params, snakemake.input
    grid, device = mni_grid(SpaceSettings.model_validate(params.space)), choose_device()
    image = mean_volume(paths.training, grid.shape)
    save_volume(snakemake.output.image, image, grid.affine)

    index, workers = pd.DataFrame(params.scans), snakemake.threads
    distance = perceptual_distance(grid, device) if params.perceptual else None
    metrics = in_flight(
        lambda files: judge(image, *files, distance).metrics,
        zip(paths.brains, paths.masks, strict=True),
        workers,
        ahead=workers,
    )
    rows = pd.DataFrame(runtime.progress(metrics, "mean image", len(index)))
    runtime.write_table(snakemake.output.table, pd.concat([index[KEYS], rows], axis="columns"))


main(snakemake)
