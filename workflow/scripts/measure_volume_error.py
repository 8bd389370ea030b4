"""Compare regional volumes of one autoencoder's reconstructions with those of the scans."""

from brainlapse import runtime
from brainlapse.analysis.reconstructions import volume_errors


def main(snakemake) -> None:
    """Unpack, call, write."""
    runtime.start(snakemake)
    errors = volume_errors(
        runtime.read_table(snakemake.input.volumes),
        runtime.read_table(snakemake.input.index),
        snakemake.wildcards.model,
    )
    runtime.write_table(snakemake.output.errors, errors)


main(snakemake)
