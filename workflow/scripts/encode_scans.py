"""Encode every usable scan with one autoencoder; latents of unchanged scans are read back."""

from pathlib import Path

import pandas as pd

from brainlapse import runtime
from brainlapse.latents import write_latents
from brainlapse.training.devices.device import choose_device
from brainlapse.training.encoding.passes import load_model
from brainlapse.training.model.trained import binding_parts, check_contract, read_card
from brainlapse.training.resume import latent_cache
from brainlapse.training.settings import EncodingSettings


def main(snakemake) -> None:
    """Unpack the job, check the contract, encode what is new, write latents and index."""
    runtime.start(snakemake)
    runtime.keep_memory()
    params, paths = snakemake.params, snakemake.input
    settings, folder = EncodingSettings.model_validate(params.settings), Path(paths.weights).parent
    card, contract = read_card(folder), runtime.read_json(paths.contract)
    check_contract(card, contract, folder)
    index, device = pd.DataFrame(params.scans), choose_device()
    brains = map(Path, paths.brains)
    sources = list(map(latent_cache.Source, index["scan_path"], brains))

    identity = latent_cache.describe_encoding(
        paths.weights, binding_parts(contract), settings, params.code, device
    )
    cache = latent_cache.LatentCache(params.cache, snakemake.wildcards.model, identity)
    cache.open()
    mean, log_variance = latent_cache.encode_cohort(
        load_model(folder),
        cache,
        sources,
        tuple(card["grid"]["shape"]),
        settings,
        device,
        snakemake.threads,
    )
    write_latents(snakemake.output.latents, snakemake.output.index, mean, log_variance, index)


main(snakemake)
