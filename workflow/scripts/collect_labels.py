"""Collect the labels of training people that the heads of one autoencoder learn from."""

import pandas as pd

from brainlapse import runtime
from brainlapse.analysis.heads.labels import training_labels
from brainlapse.analysis.settings import TaskSettings


def main(snakemake) -> None:
    """Unpack the job, code the labels, write them; the log says which tasks have none."""
    runtime.start(snakemake)
    tasks = [TaskSettings.model_validate(task) for task in snakemake.params.tasks]
    scans = pd.DataFrame(list(snakemake.params.scans))
    labels, reasons = training_labels(scans, tasks if len(scans) else [])
    for task, reason in reasons.items():
        runtime.log.warning("no head for task %s: %s", task, reason)
    runtime.write_table(snakemake.output.labels, labels)


main(snakemake)
