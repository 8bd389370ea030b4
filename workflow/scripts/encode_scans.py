"""Encode the scans of a block of people with one autoencoder."""

from pathlib import Path

import numpy as np
import pandas as pd

from brainlapse import runtime
from brainlapse.latents import write_latents
from brainlapse.streaming import in_flight
from brainlapse.training.data.scans import load_on_grid
from brainlapse.training.devices.device import choose_device
from brainlapse.training.encoding.passes import encode_volumes, load_model
from brainlapse.training.model.trained import check_contract, read_card
from brainlapse.training.settings import EncodingSettings


def main(snakemake) -> None:
    """Unpack the job, check the contract, encode while threads read, write latents and index."""
    runtime.start(snakemake)
    runtime.keep_memory()
    params, paths = snakemake.params, snakemake.input
    settings, folder = EncodingSettings.model_validate(params.settings), Path(paths.weights).parent
    card, index = read_card(folder), pd.DataFrame(params.scans)
    check_contract(card, runtime.read_json(paths.contract), folder)
    shape = tuple(card["grid"]["shape"])
    volumes = in_flight(
        lambda path: load_on_grid(path, shape),
        paths.brains,
        workers=snakemake.threads,
        ahead=settings.batch_size,
    )
    encoded = encode_volumes(load_model(folder), volumes, settings, choose_device())
    latents = list(runtime.progress(encoded, "encoding", len(index)))
    mean, log_variance = map(np.stack, zip(*latents, strict=True))
    write_latents(snakemake.output.latents, snakemake.output.index, mean, log_variance, index)


main(snakemake)
