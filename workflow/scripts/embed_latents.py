"""Lay the latents of every scan on a map of neighbours."""

from brainlapse import runtime
from brainlapse.analysis.embedding import embed_scores
from brainlapse.latents import read_index


def main(snakemake) -> None:
    """Unpack the job, lay out, write the table."""
    runtime.start(snakemake)
    scores = runtime.read_table(snakemake.input.scores)
    index = read_index(snakemake.input.index)
    table = embed_scores(scores, index, snakemake.params.seed)
    runtime.write_table(snakemake.output.map, table)


main(snakemake)
