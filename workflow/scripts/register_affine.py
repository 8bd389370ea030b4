"""Register one brain to the template: level 2, affine, starting from the rigid level."""

from brainlapse import runtime
from brainlapse.images import load_volume
from brainlapse.preprocessing.registration import (
    prepare_brain,
    register_level,
    to_ants,
)
from brainlapse.preprocessing.settings import RegistrationSettings
from brainlapse.preprocessing.transforms import (
    check_transform,
    read_world_transform,
    write_world_transform,
)
from brainlapse.rejection import run_stage


def main(snakemake) -> None:
    """Write the whole transform from template to scan, the rigid level included."""
    runtime.start(snakemake)
    settings = RegistrationSettings.model_validate(snakemake.params.settings)

    def register_affine() -> None:
        volume, affine = load_volume(snakemake.input.corrected)
        mask, _ = load_volume(snakemake.input.mask)
        target = to_ants(*load_volume(snakemake.input.target))
        brain = prepare_brain(volume, mask > 0, affine, settings.voxel_mm)
        transform = register_level(
            "Affine",
            target,
            brain,
            settings.affine,
            settings.seed,
            start=read_world_transform(snakemake.input.start),
        )
        check_transform(transform, settings)
        write_world_transform(snakemake.output.transform, transform)

    run_stage("register_affine", snakemake.input, snakemake.output, register_affine)


main(snakemake)
