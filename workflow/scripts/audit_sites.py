"""Say what data set, site and scanner can't be told from."""

from brainlapse import runtime
from brainlapse.analysis.sites.audit import audit_places
from brainlapse.cohort.tables import SCAN, read_scans


def main(snakemake) -> None:
    """Unpack the job, audit the accepted scans, write the table."""
    runtime.start(snakemake)
    quality = runtime.read_table(snakemake.input.quality, [*SCAN, "status"])
    accepted = quality.loc[quality["status"] == "accepted", SCAN]
    scans = read_scans(snakemake.input.scans).merge(accepted, on=SCAN, validate="one_to_one")
    table = audit_places(scans, snakemake.params.tasks, snakemake.params.seed)
    runtime.write_table(snakemake.output.audit, table)


main(snakemake)
