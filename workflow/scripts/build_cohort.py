"""Find, validate, describe and split the scans of all data sets."""

from brainlapse import runtime
from brainlapse.cohort.build import build_cohort
from brainlapse.cohort.settings import CohortSettings


def main(snakemake) -> None:
    """Write the three tables of the cohort."""
    runtime.start(snakemake)
    cohort = build_cohort(
        folders=snakemake.params.folders,
        roles=snakemake.params.roles,
        settings=CohortSettings.model_validate(snakemake.params.settings),
        seed=snakemake.params.seed,
        threads=snakemake.threads,
        people=snakemake.params.people,
        known_scans=snakemake.params.known_scans,
    )
    runtime.write_table(snakemake.output.rejected, cohort.rejected)
    runtime.write_table(snakemake.output.alternatives, cohort.alternatives)
    runtime.write_table(snakemake.output.scans, cohort.scans)


main(snakemake)
