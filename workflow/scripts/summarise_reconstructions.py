"""Tabulate how well one autoencoder gives scans back, by group and beside the mean image."""

from brainlapse import runtime
from brainlapse.analysis.reconstructions import summarise_reconstructions
from brainlapse.damage import check_agree
from brainlapse.latents import read_index

SCORE_COLUMNS = ("dataset", "scan", "split")


def main(snakemake) -> None:
    """Unpack, call, write."""
    runtime.start(snakemake)
    paths = snakemake.input
    index = read_index(paths.index)
    scores = []
    for path in (paths.table, *paths.baseline):  # baselines: one or none
        scores.append(runtime.read_table(path, SCORE_COLUMNS))
        keys = (frame[["dataset", "scan"]].itertuples(index=False) for frame in (scores[-1], index))
        found, expected = ([tuple(key) for key in rows] for rows in keys)
        check_agree(path, found, paths.index, expected, "scans")
    summary = summarise_reconstructions(scores[0], index, *scores[1:])
    runtime.write_table(snakemake.output.summary, summary)


main(snakemake)
