"""brainlapse: from raw T1-weighted head scans to predicted brains.

Settings: config.yaml, docs/configuration.md. Stages: workflow/rules, in pipeline order.
"""

import os
from pathlib import Path

from snakemake.utils import min_version

from brainlapse import runtime
from brainlapse.cohort.people.targets import warn_of_missing_columns
from brainlapse.config import load_config

min_version("9.0")


configfile: Path(workflow.basedir, "config.yaml")


config = load_config(config, overlay=workflow.config_settings.overwrite_config)
os.environ.setdefault(runtime.RUN_TOKEN, runtime.process_token())


report: "workflow/report/workflow.rst"


wildcard_constraints:
    dataset=r"[A-Za-z0-9_-]+",
    subject=r"sub-[A-Za-z0-9+]+",
    scan_path=r"[A-Za-z0-9_-]+/sub-[A-Za-z0-9+]+(/ses-[A-Za-z0-9+]+)?/sub-[A-Za-z0-9+]+(_ses-[A-Za-z0-9+]+)?",
    model=r"[A-Za-z0-9_-]+",
    task=r"[A-Za-z0-9_-]+",
    level=r"rigid|similarity|affine",
    kind=r"reconstructed|predicted|interpolated",


include: "workflow/rules/records.smk"
include: "workflow/rules/common.smk"


rule all:
    """Everything up to the report."""
    default_target: True
    input:
        results("report/index.html"),
        results("report/qc.html"),
        results("report/viewer.html"),
        results("derivatives"),


include: "workflow/rules/cohort.smk"
include: "workflow/rules/longitudinal.smk"
include: "workflow/rules/preprocess.smk"
include: "workflow/rules/autoencoder.smk"
include: "workflow/rules/latents.smk"
include: "workflow/rules/analysis.smk"
include: "workflow/rules/aging.smk"
include: "workflow/rules/volumes.smk"
include: "workflow/rules/derivatives.smk"
include: "workflow/rules/segmenter.smk"
include: "workflow/rules/pretraining.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/targets.smk"


onstart:
    check_records()
    runtime.write_yaml(f"{OUT}/config.yaml", config)
    warn_of_missing_columns(config["tasks"], config["datasets"])


onerror:
    print(f"What is done so far: python -m brainlapse.figures.page {OUT}")


onsuccess:
    runtime.remove_finished(OUT)
    if Path(OUT, "report", "index.html").exists():
        print(f"Open {OUT}/report/index.html")
