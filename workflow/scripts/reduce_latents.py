"""Reduce the latents of every scan to principal components of the training scans."""

from pathlib import Path

from brainlapse import runtime
from brainlapse.analysis.pca import read_components, reduce_latents
from brainlapse.analysis.settings import AnalysisSettings
from brainlapse.latents import read_latents


def main(snakemake) -> None:
    """Unpack the job, reduce, write both tables."""
    runtime.start(snakemake)
    settings = AnalysisSettings.model_validate(snakemake.params.settings)
    mean, index = read_latents(Path(snakemake.input.latents).parent)
    known = next(map(read_components, snakemake.input.known), None)  # one or none
    scores, variance = reduce_latents(
        mean, index, settings.components, snakemake.params.seed, known
    )
    runtime.write_table(snakemake.output.scores, scores)
    runtime.write_table(snakemake.output.variance, variance)


main(snakemake)
