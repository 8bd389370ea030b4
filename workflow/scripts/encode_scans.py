"""Encode every usable scan with one autoencoder."""

from pathlib import Path

import pandas as pd

from brainlapse import runtime
from brainlapse.latents import write_latents
from brainlapse.training.data import load_on_grid
from brainlapse.training.device import choose_device
from brainlapse.training.encoding import encode_volumes, load_model
from brainlapse.training.model import check_contract, read_card
from brainlapse.training.settings import EncodingSettings


def main(snakemake) -> None:
    """Unpack the job, check the contract, encode, write latents and index."""
    runtime.start(snakemake)
    params, brains = snakemake.params, snakemake.input.brains
    settings = EncodingSettings.model_validate(params.settings)
    folder = Path(snakemake.input.weights).parent
    card = read_card(folder)
    check_contract(card, runtime.read_json(snakemake.input.contract), folder)
    shape = tuple(card["grid"]["shape"])
    volumes = (load_on_grid(path, shape) for path in brains)
    volumes = runtime.progress(volumes, "encoding", len(brains))
    model, device = load_model(folder), choose_device()
    mean, log_variance = encode_volumes(model, volumes, settings.batch_size, device)
    index = pd.DataFrame(params.scans)
    write_latents(snakemake.output.latents, snakemake.output.index, mean, log_variance, index)


main(snakemake)
