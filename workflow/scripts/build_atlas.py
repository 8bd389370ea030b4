"""Put the template's tissue priors on the grid of the run."""

from brainlapse import runtime
from brainlapse.segmentation.atlas import build_atlas, save_atlas
from brainlapse.space import SpaceSettings, mni_grid


def main(snakemake) -> None:
    """Unpack the job, build, write the atlas."""
    runtime.start(snakemake)
    grid = mni_grid(SpaceSettings.model_validate(snakemake.params.space))
    save_atlas(snakemake.output.atlas, build_atlas(grid))


main(snakemake)
