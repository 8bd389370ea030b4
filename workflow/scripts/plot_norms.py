"""Plot centiles of regional volumes over age, with the people."""

from brainlapse import runtime
from brainlapse.figures import style, tables
from brainlapse.figures.ageing import norms


def main(snakemake) -> None:
    """Unpack, call, write."""
    runtime.start(snakemake)
    style.draw(
        snakemake.output.figure,
        norms.plot_norms,
        tables.read(snakemake.input.curves, tables.NORMS),
        tables.read(snakemake.input.scores, tables.NORM_SCORES),
        tables.read(snakemake.input.fits, tables.NORM_FITS),
        dots_per_inch=snakemake.params.dots_per_inch,
    )


main(snakemake)
