"""Plot the latent space of one autoencoder in two principal components."""

from brainlapse import runtime
from brainlapse.figures import style, tables
from brainlapse.figures.models import latents


def main(snakemake) -> None:
    """Unpack, call, write."""
    runtime.start(snakemake)
    style.draw(
        snakemake.output.figure,
        latents.plot_latents,
        tables.read(snakemake.input.scores),
        tables.read(snakemake.input.variance, tables.PCA_VARIANCE),
        tables.read(snakemake.input.index),
        next(map(tables.read, snakemake.input.map), None),  # one or none
        dots_per_inch=snakemake.params.dots_per_inch,
    )


main(snakemake)
