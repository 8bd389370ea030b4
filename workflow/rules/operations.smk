"""Looking after a run: what it needs, where its scans stand. Nothing is computed.

doctor    folders, data sets, disk, programs, weights, GPU, SLURM; each finding with its remedy
prefetch  container images that a node without internet would miss, checksums of what is there
status    where each scan stands, also while a run goes on
"""


localrules:
    doctor,
    prefetch,
    status,


rule doctor:
    """Look at everything that a run needs."""
    log:
        ".snakemake/log/doctor.txt",
    conda:
        "../../envs/torch.yaml"
    params:
        profile=Path(workflow.basedir, "profiles/slurm/config.yaml"),
    script:
        "../scripts/look_at_run.py"


rule prefetch:
    """Fetch what a compute node without internet would miss."""
    log:
        ".snakemake/log/prefetch.txt",
    conda:
        "../../envs/torch.yaml"
    script:
        "../scripts/look_at_run.py"


rule status:
    """Say where each scan stands."""
    log:
        ".snakemake/log/status.txt",
    conda:
        "../../envs/torch.yaml"
    params:
        output=OUT,
        models=MODELS,
    script:
        "../scripts/look_at_run.py"
