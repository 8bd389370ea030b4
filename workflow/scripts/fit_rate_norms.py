"""Fit norms of yearly change, of volumes and latents, and hold everybody against them."""

from brainlapse import runtime
from brainlapse.analysis.norms.people import choose_people
from brainlapse.analysis.norms.rates import tabulate_rate_norms
from brainlapse.analysis.norms.settings import NormSettings
from brainlapse.cohort.tables import SCAN, read_scans
from brainlapse.segmentation.columns import RATE_COLUMNS


def main(snakemake) -> None:
    """Unpack the job, fit, write the tables."""
    runtime.start(snakemake)
    settings = NormSettings.model_validate(snakemake.params.settings)
    rates = runtime.read_table(snakemake.input.rates, RATE_COLUMNS)
    tables = map(runtime.read_table, snakemake.input.components)
    components = dict(zip(snakemake.params.models, tables, strict=True))
    quality = runtime.read_table(snakemake.input.quality, [*SCAN, "status"])
    people = choose_people(read_scans(snakemake.input.scans), quality, settings)
    norms = tabulate_rate_norms(rates, components, people, settings)
    runtime.write_table(snakemake.output.fits, norms.fits)
    runtime.write_table(snakemake.output.curves, norms.curves)
    runtime.write_table(snakemake.output.scores, norms.scores)


main(snakemake)
