"""From BIDS folders to one table of accepted scans.

Inputs: the BIDS folders of the config; simulated ones are made here.
Outputs: simulated/<dataset>/, cohort/scans.tsv, cohort/rejected.tsv, cohort/alternatives.tsv.

simulate_dataset  make a BIDS data set with known truth
build_cohort      validate each T1w scan, join ages and diagnoses, split by subject
"""


include: "inputs/cohort.smk"


rule simulate_dataset:
    """Simulate a BIDS data set with known truth."""
    output:
        folder=directory(results("simulated/{dataset}")),
    log:
        results("logs/simulate_dataset/{dataset}.log"),
    conda:
        "../../envs/imaging.yaml"
    threads: 2
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        settings=simulation_settings,
        seed=config["seed"],
        code=code_of("simulate_dataset"),
    script:
        "../scripts/simulate_dataset.py"


checkpoint build_cohort:
    """Validate and describe all scans, and split them by subject."""
    input:
        simulated=expand(results("simulated/{dataset}"), dataset=SIMULATED),
    output:
        scans=results("cohort/scans.tsv"),
        rejected=results("cohort/rejected.tsv"),
        alternatives=results("cohort/alternatives.tsv"),
    log:
        results("logs/build_cohort.log"),
    conda:
        "../../envs/imaging.yaml"
    threads: 4
    resources:
        mem_mb=growing(4000),
        runtime=growing(120),
    params:
        folders={
            name: dataset["bids"] or results(f"simulated/{name}")
            for name, dataset in config["datasets"].items()
        },
        roles={name: dataset["role"] for name, dataset in config["datasets"].items()},
        people={name: dataset["people"] for name, dataset in config["datasets"].items()},
        settings=config["cohort"],
        seed=config["seed"],
        state=raw_state,
        known_scans=results(".resume/cohort/known_scans.jsonl"),
        code=code_of("build_cohort"),
    script:
        "../scripts/build_cohort.py"
