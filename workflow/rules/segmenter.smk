"""The embedded segmenter: its training, apart from the pipeline.

in:  a folder of label maps (config key segmenter, see configs/segmenter.yaml)
out: segmenter/segmenter.safetensors, history.tsv, card.json

place_label_maps  lay the label maps into MNI space
train_segmenter   train on images synthesised from them
"""


include: "inputs/segmenter.smk"


SEGMENTER = config["segmenter"] or {}


rule place_label_maps:
    """Lay label maps into MNI space the way scans are laid there."""
    input:
        label_maps=label_maps,
    output:
        anatomies=directory(results("segmenter/anatomies")),
    log:
        results("logs/place_label_maps.log"),
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        label_maps=SEGMENTER.get("label_maps"),
        code=code_of("place_label_maps"),
    script:
        "../scripts/place_label_maps.py"


rule train_segmenter:
    """Train the embedded segmenter; the same command goes on after an interruption."""
    input:
        anatomies=results("segmenter/anatomies"),
    output:
        weights=results("segmenter/segmenter.safetensors"),
        history=results("segmenter/history.tsv"),
        card=results("segmenter/card.json"),
    log:
        results("logs/train_segmenter.log"),
    conda:
        "../../envs/imaging.yaml"
    threads: 8
    resources:
        mem_mb=growing(16000),
        runtime=2880,
        gpu=1,
    params:
        settings=SEGMENTER,
        seed=config["seed"],
        resume=results(".resume"),
        code=code_of("train_segmenter"),
    script:
        "../scripts/train_segmenter.py"
