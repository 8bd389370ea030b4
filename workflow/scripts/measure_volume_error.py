"""Compare regional volumes of one autoencoder's reconstructions with those of the scans."""

from brainlapse import runtime
from brainlapse.analysis.reconstructions import volume_errors
from brainlapse.latents import read_index
from brainlapse.segmentation.reading import read_volumes


def main(snakemake) -> None:
    """Unpack, call, write."""
    runtime.start(snakemake)
    paths, model = snakemake.input, snakemake.wildcards.model
    index = read_index(paths.index)
    volumes = read_volumes(paths.volumes, (paths.index, index), model)
    errors = volume_errors(volumes, index, model)
    runtime.write_table(snakemake.output.errors, errors)


main(snakemake)
