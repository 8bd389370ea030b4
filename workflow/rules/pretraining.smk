"""A first training of an autoencoder on synthetic brains, apart from the pipeline.

in:  a folder of label maps (config keys segmenter and pretraining, see configs/pretraining.yaml)
out: pretraining/model.safetensors, config.json, history.tsv

draw_brains           draw synthetic brains from the label maps
pretrain_autoencoder  train an autoencoder on them; others start from it
"""


include: "inputs/pretraining.smk"


PRETRAINING = config["pretraining"] or {}


rule draw_brains:
    """Draw synthetic brains from label maps, as the chain would leave them."""
    input:
        anatomies=results("segmenter/anatomies"),
    output:
        train=results("pretraining/train.npy"),
        validation=results("pretraining/validation.npy"),
    log:
        results("logs/draw_brains.log"),
    conda:
        "../../envs/imaging.yaml"
    threads: 8
    resources:
        mem_mb=growing(12000),
        runtime=growing(240),
    params:
        settings=pretraining_settings,
        validation=SEGMENTER.get("validation"),
        seed=config["seed"],
        code=code_of("draw_brains"),
    script:
        "../scripts/draw_brains.py"


rule pretrain_autoencoder:
    """Train an autoencoder on synthetic brains; the same command goes on after an interruption."""
    input:
        train=results("pretraining/train.npy"),
        validation=results("pretraining/validation.npy"),
    output:
        weights=results("pretraining/model.safetensors"),
        card=results("pretraining/config.json"),
        history=results("pretraining/history.tsv"),
    log:
        results("logs/pretrain_autoencoder.log"),
    conda:
        "../../envs/torch.yaml"
    threads: 8
    resources:
        mem_mb=growing(16000),
        runtime=2880,
        gpu=1,
    params:
        settings=pretraining_settings,
        seed=config["seed"],
        resume=results(".resume"),
        code=code_of("pretrain_autoencoder"),
    script:
        "../scripts/pretrain_autoencoder.py"
