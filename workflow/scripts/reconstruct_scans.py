"""Decode the latent of every scan and compare it with the scan."""

from pathlib import Path

import numpy as np
import pandas as pd

from brainlapse import runtime
from brainlapse.images import load_volume, save_volume
from brainlapse.latents import read_latents
from brainlapse.training.device import choose_device
from brainlapse.training.encoding import decode_latents, load_model
from brainlapse.training.metrics import reconstruction_metrics
from brainlapse.training.settings import EncodingSettings

KEYS = ["dataset", "subject", "session", "scan", "split"]
SUFFIX = "_space-MNI_desc-reconstructed_T1w.nii.gz"


def main(snakemake) -> None:
    """Unpack the job, decode, write images and table."""
    runtime.start(snakemake)
    params, paths = snakemake.params, snakemake.input
    settings = EncodingSettings.model_validate(params.settings)
    mean, _, index = read_latents(Path(paths.latents).parent)
    model = load_model(Path(paths.weights).parent)
    decoded = decode_latents(model, mean, settings.batch_size, choose_device())
    scans = zip(decoded, paths.brains, paths.masks, index["scan_path"], strict=True)
    rows = []
    for image, scan, mask, name in runtime.progress(scans, "reconstruction", len(index)):
        volume, affine = load_volume(scan)
        brain, _ = load_volume(mask)
        rows.append(reconstruction_metrics(image, volume, brain))
        stripped = np.where(brain > 0, image, 0)  # like the scan that it is compared with
        save_volume(Path(snakemake.output.folder, f"{name}{SUFFIX}"), stripped, affine)
    table = pd.concat([index[KEYS], pd.DataFrame(rows)], axis="columns")
    runtime.write_table(snakemake.output.table, table)


main(snakemake)
