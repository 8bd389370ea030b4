"""Register one brain to the template: one level, starting from the level before."""

from brainlapse import runtime
from brainlapse.images import load_volume
from brainlapse.preprocessing.registration.ants import prepare_brain
from brainlapse.preprocessing.registration.levels import LevelRun, check_result, register_level
from brainlapse.preprocessing.registration.settings import (
    LevelSettings,
    LimitSettings,
    RetrySettings,
)
from brainlapse.preprocessing.registration.transforms import (
    read_world_transform,
    write_world_transform,
)
from brainlapse.rejection import run_stage


def main(snakemake) -> None:
    """Write the transform from template to scan, the levels before included."""
    runtime.start(snakemake)
    params = snakemake.params
    level = LevelSettings.model_validate(params.level)
    run = LevelRun(level, RetrySettings.model_validate(params.retry), params.seed)

    def register() -> None:
        volume, affine = load_volume(snakemake.input.corrected)
        mask, _ = load_volume(snakemake.input.mask, volume.shape)
        target = load_volume(snakemake.input.target)
        brain = prepare_brain(volume, mask > 0, affine, params.voxel_mm)
        before = [read_world_transform(path) for path in snakemake.input.before]
        transform = register_level(target, brain, run, *before)
        if params.limits:
            limits = LimitSettings.model_validate(params.limits)
            check_result(transform, target, brain, level, limits)
        write_world_transform(snakemake.output.transform, transform)

    run_stage("register_level", snakemake.input, snakemake.output, register)


main(snakemake)
