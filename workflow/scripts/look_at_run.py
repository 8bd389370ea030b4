"""Look after a run and print what was found; no file is written, a run may go on meanwhile."""

import sys
from pathlib import Path

from brainlapse import runtime
from brainlapse.operations import doctor, findings, prefetch, status


def main(snakemake) -> None:
    """Unpack, look, print; end with 1 where something will stop the run."""
    runtime.start(snakemake)
    params = snakemake.params
    if snakemake.rule == "status":
        run = status.read_run(Path(params.output), params.models)
        print(status.as_text(status.status_table(run)), flush=True)
        return
    if snakemake.rule == "doctor":
        found = list(doctor.examine(snakemake.config, Path(params.profile)))
    else:
        found = list(prefetch.prefetch(snakemake.config))
    print(findings.as_text(found), flush=True)
    if findings.has_faults(found):
        sys.exit(1)


main(snakemake)
