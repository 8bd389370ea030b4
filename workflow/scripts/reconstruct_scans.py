"""Decode the latents of a block of people and compare them with their scans."""

from pathlib import Path

import pandas as pd

from brainlapse import runtime
from brainlapse.cohort.tables import SPLIT_SCAN
from brainlapse.images import save_volume
from brainlapse.latents import read_latents, reconstructed_file
from brainlapse.space import SpaceSettings, mni_grid
from brainlapse.streaming import in_flight
from brainlapse.training.devices.device import choose_device
from brainlapse.training.encoding.judging import judge, perceptual_distance
from brainlapse.training.encoding.passes import decode_latents, load_model
from brainlapse.training.settings import EncodingSettings


def main(snakemake) -> None:
    """Unpack the job; decode while threads compare and write; write the table."""
    runtime.start(snakemake)
    runtime.keep_memory()
    params, paths = snakemake.params, snakemake.input
    settings, device = EncodingSettings.model_validate(params.settings), choose_device()
    grid = mni_grid(SpaceSettings.model_validate(params.space))
    distance = perceptual_distance(grid, device) if settings.perceptual else None
    mean, index = read_latents(Path(paths.latents).parent)
    model = load_model(Path(paths.weights).parent)

    def compare(item: tuple) -> dict:
        image, brain, mask, name = item
        judged = judge(image, brain, mask, distance)
        path = Path(snakemake.output.folder, name)
        save_volume(path, judged.stripped, judged.affine)
        return judged.metrics

    files = [reconstructed_file(path) for path in index["scan_path"]]
    decoded = decode_latents(model, mean, settings, device)
    scans = zip(decoded, paths.brains, paths.masks, files, strict=True)
    workers = snakemake.threads
    rows = runtime.progress(
        in_flight(compare, scans, workers, ahead=workers), "reconstruction", len(index)
    )
    places = pd.DataFrame({"file": [f"{params.folder_name}/{file}" for file in files]})
    table = pd.concat([index[SPLIT_SCAN], pd.DataFrame(rows), places], axis="columns")
    runtime.write_table(snakemake.output.table, table)


main(snakemake)
