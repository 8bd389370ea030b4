"""Average the training scans."""

from brainlapse import runtime
from brainlapse.images import save_volume
from brainlapse.space import SpaceSettings, mni_grid
from brainlapse.training.encoding.average import mean_volume


def main(snakemake) -> None:
    """Unpack, average, write."""
    runtime.start(snakemake)
    grid = mni_grid(SpaceSettings.model_validate(snakemake.params.space))
    image = mean_volume(snakemake.input.brains, grid.shape)
    save_volume(snakemake.output.image, image, grid.affine)


main(snakemake)
