"""Plot the loss curves of one autoencoder."""

from brainlapse import runtime
from brainlapse.figures import style, tables
from brainlapse.figures.models import training


def main(snakemake) -> None:
    """Unpack, call, write."""
    runtime.start(snakemake)
    history = tables.read(snakemake.input.history, tables.HISTORY)
    style.draw(
        snakemake.output.figure,
        training.plot_history,
        history,
        dots_per_inch=snakemake.params.dots_per_inch,
    )


main(snakemake)
