"""Fit norms of regional volumes to controls and hold every scan against them."""

from brainlapse import runtime
from brainlapse.analysis.norms.pcntoolkit import tabulate_for_pcntoolkit
from brainlapse.analysis.norms.people import choose_people
from brainlapse.analysis.norms.settings import NormSettings
from brainlapse.analysis.norms.tables import tabulate_norms
from brainlapse.cohort.tables import SCAN, read_scans
from brainlapse.segmentation.columns import VOLUME_COLUMNS


def main(snakemake) -> None:
    """Unpack the job, fit, write the tables."""
    runtime.start(snakemake)
    settings = NormSettings.model_validate(snakemake.params.settings)
    volumes = runtime.read_table(snakemake.input.volumes, VOLUME_COLUMNS)
    quality = runtime.read_table(snakemake.input.quality, [*SCAN, "status"])
    people = choose_people(read_scans(snakemake.input.scans), quality, settings)
    norms = tabulate_norms(volumes, people, settings)
    runtime.write_table(snakemake.output.fits, norms.fits)
    runtime.write_table(snakemake.output.curves, norms.curves)
    runtime.write_table(snakemake.output.scores, norms.scores)
    with runtime.atomic_path(snakemake.output.pcntoolkit) as temporary:
        tabulate_for_pcntoolkit(volumes, people).to_csv(temporary, index=False)


main(snakemake)
