"""Register one brain to the template, level by level."""

from brainlapse import runtime
from brainlapse.images import load_volume
from brainlapse.preprocessing.registration.ants import prepare_brain
from brainlapse.preprocessing.registration.levels import register_brain
from brainlapse.preprocessing.registration.settings import RegistrationSettings
from brainlapse.preprocessing.registration.transforms import write_world_transform
from brainlapse.rejection import run_stage


def main(snakemake) -> None:
    """Write the transform of each level, from template to scan, the levels before included."""
    runtime.start(snakemake)
    settings = RegistrationSettings.model_validate(snakemake.params.settings)

    def register() -> None:
        volume, affine = load_volume(snakemake.input.corrected)
        mask, _ = load_volume(snakemake.input.mask, volume.shape)
        target = load_volume(snakemake.input.target)
        brain = prepare_brain(volume, mask > 0, affine, settings.voxel_mm)
        transforms = register_brain(target, brain, settings)
        for path, transform in zip(snakemake.output.transforms, transforms, strict=True):
            write_world_transform(path, transform)

    run_stage("register_brain", snakemake.input, snakemake.output, register)


main(snakemake)
