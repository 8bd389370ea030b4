"""Decode walks along the principal components of one autoencoder, and what its tasks look at."""

from itertools import islice
from pathlib import Path

import numpy as np

from brainlapse import runtime
from brainlapse.analysis.pca import known_components, read_components
from brainlapse.analysis.settings import AnalysisSettings, TaskSettings
from brainlapse.analysis.tasks.patterns import find_pattern, pattern_table
from brainlapse.analysis.walks import MEAN, walk_latents
from brainlapse.images import save_volume
from brainlapse.latents import read_latents
from brainlapse.space import SpaceSettings, mni_grid
from brainlapse.training.devices.device import choose_device
from brainlapse.training.encoding.passes import decode_latents, load_model
from brainlapse.training.settings import EncodingSettings


def main(snakemake) -> None:
    """Unpack the job, find the latents, decode, write images and the table."""
    runtime.start(snakemake)
    params, paths, output = snakemake.params, snakemake.input, snakemake.output
    settings = AnalysisSettings.model_validate(params.settings)
    mean, index = read_latents(Path(paths.latents).parent)
    known = next(map(read_components, paths.known), None)  # one or none
    components = known_components(mean, index, settings.components, params.seed, known)
    walk = walk_latents(mean, index, components, settings.walk_components, settings.walk_sd)
    tasks = [TaskSettings.model_validate(task) for task in params.tasks]
    patterns = [find_pattern(mean, index, task, settings, params.seed) for task in tasks]
    mapped = [pattern for pattern in patterns if pattern.step is not None]
    steps = [settings.walk_sd * pattern.step for pattern in mapped]
    ends = [walk[MEAN] + sign * step for step in steps for sign in (-1, 1)]
    latents = np.stack([*walk.values(), *ends]).reshape(-1, *mean.shape[1:])
    passes = EncodingSettings.model_validate(params.decoding)
    decoded = decode_latents(
        load_model(Path(paths.weights).parent), latents, passes, choose_device()
    )
    affine = mni_grid(SpaceSettings.model_validate(params.space)).affine
    for name, volume in zip(walk, islice(decoded, len(walk)), strict=True):
        save_volume(Path(output.walks, f"{name}.nii.gz"), volume, affine)
    Path(output.directions).mkdir(parents=True, exist_ok=True)
    for pattern in mapped:
        low, high = islice(decoded, 2)
        save_volume(Path(output.directions, f"{pattern.task}.nii.gz"), high - low, affine)
    runtime.write_table(output.table, pattern_table(patterns, params.folder_name))


main(snakemake)
