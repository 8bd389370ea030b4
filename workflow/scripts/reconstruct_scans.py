"""Decode the latent of every scan and compare it with the scan."""

from pathlib import Path

import pandas as pd

from brainlapse import runtime
from brainlapse.images import save_volume
from brainlapse.latents import read_latents
from brainlapse.space import SpaceSettings, mni_grid
from brainlapse.streaming import in_flight
from brainlapse.training.devices.device import choose_device
from brainlapse.training.encoding.judging import judge, perceptual_distance
from brainlapse.training.encoding.passes import decode_latents, load_model
from brainlapse.training.settings import EncodingSettings

KEYS = ["dataset", "subject", "session", "scan", "split"]
SUFFIX = "_space-MNI_desc-reconstructed_T1w.nii.gz"


def main(snakemake) -> None:
    """Unpack the job; decode while threads compare and write; write the table."""
    runtime.start(snakemake)
    runtime.keep_memory()
    params, paths = snakemake.params, snakemake.input
    settings, device = EncodingSettings.model_validate(params.settings), choose_device()
    grid = mni_grid(SpaceSettings.model_validate(params.space))
    distance = perceptual_distance(grid, device) if settings.perceptual else None
    mean, _, index = read_latents(Path(paths.latents).parent)
    model = load_model(Path(paths.weights).parent)

    def compare(item: tuple) -> dict:
        image, brain, mask, name = item
        judged = judge(image, brain, mask, distance)
        path = Path(snakemake.output.folder, f"{name}{SUFFIX}")
        save_volume(path, judged.stripped, judged.affine)
        return judged.metrics

    decoded = decode_latents(model, mean, settings, device)
    scans = zip(decoded, paths.brains, paths.masks, index["scan_path"], strict=True)
    workers = snakemake.threads
    rows = runtime.progress(
        in_flight(compare, scans, workers, ahead=workers), "reconstruction", len(index)
    )
    table = pd.concat([index[KEYS], pd.DataFrame(rows)], axis="columns")
    runtime.write_table(snakemake.output.table, table)


main(snakemake)
