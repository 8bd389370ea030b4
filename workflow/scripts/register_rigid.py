"""Register one brain to the template: level 1, rigid."""

from brainlapse import runtime
from brainlapse.images import load_volume
from brainlapse.preprocessing.registration import (
    prepare_brain,
    register_level,
    to_ants,
)
from brainlapse.preprocessing.settings import LevelSettings
from brainlapse.preprocessing.transforms import write_world_transform
from brainlapse.rejection import run_stage


def main(snakemake) -> None:
    """Write the transform from template to scan."""
    runtime.start(snakemake)
    level = LevelSettings.model_validate(snakemake.params.level)
    voxel_mm, seed = snakemake.params.voxel_mm, snakemake.params.seed

    def register_rigid() -> None:
        volume, affine = load_volume(snakemake.input.corrected)
        mask, _ = load_volume(snakemake.input.mask)
        target = to_ants(*load_volume(snakemake.input.target))
        brain = prepare_brain(volume, mask > 0, affine, voxel_mm)
        transform = register_level("Rigid", target, brain, level, seed)
        write_world_transform(snakemake.output.transform, transform)

    run_stage("register_rigid", snakemake.input, snakemake.output, register_rigid)


main(snakemake)
