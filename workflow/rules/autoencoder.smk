"""Autoencoders: one model per entry of `autoencoders:` in the config.

in:  preprocessed brains of the training and validation scans, preprocess/contract.json; bundles
out: autoencoder/{model}/model.safetensors, config.json, history.tsv, labels.tsv

collect_labels      labels of training people for the heads of a model, where it has any
train_autoencoder   train within the budget, keep the weights best on the validation scans;
                    family pca: fit
load_bundle         take a model that was trained elsewhere, where the config names a bundle
"""


include: "inputs/autoencoder.smk"


rule collect_labels:
    """Collect the labels of training people that the heads of one autoencoder learn from.

    They are a parameter, so that only their change reruns. Cohort and quality are not read: the
    checkpoints behind the parameter have to be done.
    """
    input:
        cohort=ancient(results("cohort/scans.tsv")),
        quality=ancient(results("preprocess/qc.tsv")),
    output:
        labels=results("autoencoder/{model}/labels.tsv"),
    log:
        results("logs/collect_labels/{model}.log"),
    wildcard_constraints:
        model=TRAINED,
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        scans=labelled_scans,
        tasks=head_tasks,
        code=code_of("collect_labels"),
    script:
        "../scripts/collect_labels.py"


rule train_autoencoder:
    """Train one autoencoder; the same command goes on after an interruption."""
    input:
        images=fit_brains,
        labels=head_labels,
        contract=ancient(results("preprocess/contract.json")),
    output:
        weights=results("autoencoder/{model}/model.safetensors"),
        card=results("autoencoder/{model}/config.json"),
        history=results("autoencoder/{model}/history.tsv"),
    log:
        results("logs/train_autoencoder/{model}.log"),
    wildcard_constraints:
        model=TRAINED,
    conda:
        "../../envs/torch.yaml"
    threads: 8
    resources:
        mem_mb=growing(16000),
        runtime=2880,
        gpu=training_gpus,
        gres=training_gres,
        nodes=training_nodes,
        tasks=training_nodes,
        tasks_per_gpu=training_tasks_per_gpu,
        mpi=training_mpi,
    params:
        settings=model_settings,
        start=training_start,
        scans=fit_selection,
        seed=config["seed"],
        space=config["space"],
        resume=results(".resume"),
        code=code_of("train_autoencoder"),
        optional_code=optional_code,
    script:
        "../scripts/train_autoencoder.py"


rule load_bundle:
    """Take one autoencoder from a bundle, after checking that it works here."""
    input:
        files=bundle_files,
    output:
        weights=results("autoencoder/{model}/model.safetensors"),
        card=results("autoencoder/{model}/config.json"),
        history=results("autoencoder/{model}/history.tsv"),
        components=results("autoencoder/{model}/components.safetensors"),
        rates=results("autoencoder/{model}/rates.safetensors"),
    log:
        results("logs/load_bundle/{model}.log"),
    wildcard_constraints:
        model=BUNDLED,
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=growing(8000),
        runtime=growing(30),
    params:
        bundle=bundle_path,
        code=code_of("load_bundle"),
    script:
        "../scripts/load_bundle.py"
