"""Sample the template on the grids of registration and of all results."""

from brainlapse import runtime
from brainlapse.images import save_volume
from brainlapse.preprocessing.quality.reference import (
    registration_target,
    sample_reference,
    save_reference,
)
from brainlapse.space import SpaceSettings, mni_grid


def main(snakemake) -> None:
    """Write the registration's target and the maps that quality control compares with."""
    runtime.start(snakemake)
    grid = mni_grid(SpaceSettings.model_validate(snakemake.params.space))
    maps = {name: snakemake.output[name] for name in ("t1", "grey", "white", "brain_mask")}
    save_reference(sample_reference(grid), grid, maps)
    save_volume(snakemake.output.target, *registration_target(snakemake.params.voxel_mm))


main(snakemake)
