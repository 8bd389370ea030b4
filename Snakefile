"""brainlapse: from raw T1-weighted head scans to predicted brains.

Settings: config.yaml, docs/configuration.md. Stages: workflow/rules, in pipeline order.
"""

import os
from pathlib import Path

from snakemake.utils import min_version

from brainlapse import runtime
from brainlapse.config import load_or_exit

min_version("9.27")  # records.smk replaces parts of it


configfile: Path(workflow.basedir, "config.yaml")


config = load_or_exit(
    config,
    overlay=workflow.config_settings.overwrite_config,
    files=workflow.config_settings.configfiles,
    look=workflow.is_main_process,
)
os.environ.setdefault(runtime.RUN_TOKEN, runtime.process_token())


report: "workflow/report/workflow.rst"


wildcard_constraints:
    dataset=r"[A-Za-z0-9_-]+",
    subject=r"sub-[A-Za-z0-9+]+",
    scan_path=r"[A-Za-z0-9_-]+/sub-[A-Za-z0-9+]+(/ses-[A-Za-z0-9+]+)?/sub-[A-Za-z0-9+]+(_ses-[A-Za-z0-9+]+)?",
    model=r"[A-Za-z0-9_-]+",
    block=r"(block|train)-[0-9]+",
    task=r"[A-Za-z0-9_-]+",
    kind=r"reconstructed|predicted|interpolated",


include: "workflow/rules/planning.smk"
include: "workflow/rules/records.smk"
include: "workflow/rules/scheduling.smk"
include: "workflow/rules/common.smk"


rule all:
    """Everything up to the report."""
    default_target: True
    input:
        results("report/index.html"),
        results("report/qc.html"),
        results("report/viewer.html"),
        results("volumes/rates.tsv"),
        results("derivatives"),


include: "workflow/rules/cohort.smk"
include: "workflow/rules/longitudinal.smk"
include: "workflow/rules/preprocess.smk"
include: "workflow/rules/autoencoder.smk"
include: "workflow/rules/latents.smk"
include: "workflow/rules/analysis.smk"
include: "workflow/rules/norms.smk"
include: "workflow/rules/aging.smk"
include: "workflow/rules/volumes.smk"
include: "workflow/rules/predict.smk"
include: "workflow/rules/derivatives.smk"
include: "workflow/rules/segmenter.smk"
include: "workflow/rules/pretraining.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/operations.smk"
include: "workflow/rules/targets.smk"
include: "workflow/rules/handlers.smk"
