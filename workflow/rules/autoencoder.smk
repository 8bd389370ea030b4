"""Autoencoders: one model per entry of `autoencoders:` in the config.

in:  preprocessed brains of the training and validation scans, preprocess/contract.json
out: autoencoder/{model}/model.safetensors, config.json, history.tsv

train_autoencoder   train within the budget, keep the weights best on the validation scans
"""


rule train_autoencoder:
    """Train one autoencoder; the same command goes on after an interruption."""
    input:
        images=fit_brains,
        contract=ancient(results("preprocess/contract.json")),
    output:
        weights=results("autoencoder/{model}/model.safetensors"),
        card=results("autoencoder/{model}/config.json"),
        history=results("autoencoder/{model}/history.tsv"),
    log:
        results("logs/train_autoencoder/{model}.log"),
    benchmark:
        results("benchmarks/train_autoencoder/{model}.tsv")
    conda:
        "../../envs/torch.yaml"
    threads: 8
    resources:
        mem_mb=16000,
        runtime=2880,
        gpu=training_gpus,
    params:
        settings=model_settings,
        scans=fit_selection,
        seed=config["seed"],
        space=config["space"],
        resume=results(".resume"),
        code=code_of("train_autoencoder"),
        judge=judge_code,
    script:
        "../scripts/train_autoencoder.py"
