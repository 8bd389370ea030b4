"""Bring one scan to the MNI grid in one interpolation, and strip it."""

import numpy as np

from brainlapse import runtime
from brainlapse.images import load_canonical, load_volume, save_volume
from brainlapse.preprocessing.longitudinal.field import remove_difference
from brainlapse.preprocessing.registration.transforms import read_world_transform
from brainlapse.preprocessing.resampling import resample_brain, resample_inside
from brainlapse.preprocessing.settings import ResamplingSettings
from brainlapse.rejection import run_stage
from brainlapse.space import SpaceSettings, mni_grid


def main(snakemake) -> None:
    """Write the stripped scan and its mask on the MNI grid."""
    runtime.start(snakemake)
    settings = ResamplingSettings.model_validate(snakemake.params.settings)
    grid = mni_grid(SpaceSettings.model_validate(snakemake.params.space))

    def resample_scan() -> None:
        volume, affine = load_canonical(snakemake.input.corrected)
        transform = read_world_transform(snakemake.input.transform)
        if snakemake.input.shared_mask:
            brain = load_volume(snakemake.input.shared_mask[0], grid.shape)[0] > 0
            inside = resample_inside(volume, affine, grid, transform, brain, settings)
            stripped = remove_difference(inside, load_volume(snakemake.input.field[0])[0], grid)
        else:
            mask, _ = load_canonical(snakemake.input.mask, volume.shape)
            stripped, brain = resample_brain(volume, mask > 0, affine, grid, transform, settings)
        save_volume(snakemake.output.stripped, stripped, grid.affine)
        save_volume(snakemake.output.mask, brain, grid.affine, dtype=np.uint8)

    run_stage("resample_scan", snakemake.input, snakemake.output, resample_scan)


main(snakemake)
