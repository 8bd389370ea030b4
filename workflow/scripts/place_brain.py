"""Bring one brain to the MNI grid in one interpolation, stripped, on the common scale."""

import numpy as np

from brainlapse import runtime
from brainlapse.images import load_canonical, load_volume, save_volume
from brainlapse.preprocessing.intensity import find_anchors, normalise
from brainlapse.preprocessing.longitudinal.field import remove_difference
from brainlapse.preprocessing.registration.transforms import read_world_transform
from brainlapse.preprocessing.resampling import resample_brain, resample_inside
from brainlapse.preprocessing.settings import IntensitySettings, ResamplingSettings
from brainlapse.rejection import run_stage
from brainlapse.space import SpaceSettings, mni_grid


def main(snakemake) -> None:
    """Write the brain with values 0 to 1 and background 0, its mask, and its scale."""
    runtime.start(snakemake)
    inputs, output, params = snakemake.input, snakemake.output, snakemake.params
    resampling = ResamplingSettings.model_validate(params.resampling)
    intensity = IntensitySettings.model_validate(params.intensity)
    grid = mni_grid(SpaceSettings.model_validate(params.space))

    def place_brain() -> None:
        volume, affine = load_canonical(inputs.corrected)
        transform = read_world_transform(inputs.transform)
        anchors = None
        if inputs.visit:  # a later visit shares mask and scale with the one that it joined
            mask = load_volume(inputs.shared_mask[0], grid.shape)[0] > 0
            inside = resample_inside(volume, affine, grid, transform, mask, resampling)
            stripped = remove_difference(inside, load_volume(inputs.field[0])[0], grid)
            anchors = runtime.read_json(inputs.visit[0], ["anchors"])["anchors"]
        else:
            native_mask, _ = load_canonical(inputs.mask, volume.shape)
            stripped, mask = resample_brain(
                volume, native_mask > 0, affine, grid, transform, resampling
            )
        if anchors is None:
            white = load_volume(inputs.white, grid.shape)[0]
            anchors = find_anchors(stripped[mask], intensity, white[mask])
        save_volume(output.brain, normalise(stripped, mask, intensity, anchors), grid.affine)
        save_volume(output.mask, mask, grid.affine, dtype=np.uint8)
        runtime.write_json(output.scale, {"anchors": list(anchors)})

    run_stage("place_brain", inputs, output, place_brain)


main(snakemake)
