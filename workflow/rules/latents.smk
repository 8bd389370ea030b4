"""Latents: every usable scan encoded by every autoencoder, and decoded again.

in:  preprocessed brains and masks, autoencoder/{model}/, preprocess/contract.json
out: latents/{model}/latents.npz, index.tsv, reconstructions/,
     autoencoder/{model}/reconstruction.tsv, reconstruction_summary.tsv,
     baselines/mean_image.nii.gz, mean_image.tsv

encode_scans               latent mean and log-variance of every scan; only new ones are computed
reconstruct_scans          decode the means, compare with the scans in the mask and on the grid
judge_mean_image           the mean training scan in place of every reconstruction
summarise_reconstructions  both by split, dataset and diagnosis
"""


include: "inputs/latents.smk"


rule encode_scans:
    """Encode every usable scan with one autoencoder."""
    input:
        brains=usable_brains,
        contract=ancient(results("preprocess/contract.json")),
        weights=results("autoencoder/{model}/model.safetensors"),
        card=results("autoencoder/{model}/config.json"),
    output:
        latents=results("latents/{model}/latents.npz"),
        index=results("latents/{model}/index.tsv"),
    log:
        results("logs/encode_scans/{model}.log"),
    benchmark:
        results("benchmarks/encode_scans/{model}.tsv")
    conda:
        "../../envs/torch.yaml"
    threads: 8
    resources:
        mem_mb=12000,
        runtime=120,
        gpu=1,
    params:
        settings=ENCODING,
        scans=usable_selection,
        cache=results(".resume/latents"),
        code=code_of("encode_scans"),
    script:
        "../scripts/encode_scans.py"


rule reconstruct_scans:
    """Decode the latent of every scan and compare it with the scan."""
    input:
        brains=usable_brains,
        masks=usable_masks,
        latents=results("latents/{model}/latents.npz"),
        index=results("latents/{model}/index.tsv"),
        weights=results("autoencoder/{model}/model.safetensors"),
        card=results("autoencoder/{model}/config.json"),
    output:
        folder=directory(results("latents/{model}/reconstructions")),
        table=results("autoencoder/{model}/reconstruction.tsv"),
    log:
        results("logs/reconstruct_scans/{model}.log"),
    benchmark:
        results("benchmarks/reconstruct_scans/{model}.tsv")
    conda:
        "../../envs/torch.yaml"
    threads: 8
    resources:
        mem_mb=12000,
        runtime=120,
        gpu=1,
    params:
        settings=config["latents"],
        space=config["space"],
        code=code_of("reconstruct_scans"),
    script:
        "../scripts/reconstruct_scans.py"


rule judge_mean_image:
    """Compare every scan with the mean training scan, the baseline of all models."""
    input:
        training=training_brains,
        brains=usable_brains,
        masks=usable_masks,
    output:
        image=results("baselines/mean_image.nii.gz"),
        table=results("baselines/mean_image.tsv"),
    log:
        results("logs/judge_mean_image.log"),
    benchmark:
        results("benchmarks/judge_mean_image/all.tsv")
    conda:
        "../../envs/torch.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=120,
    params:
        scans=usable_selection,
        space=config["space"],
        perceptual=config["latents"]["perceptual"],
        code=code_of("judge_mean_image"),
    script:
        "../scripts/judge_mean_image.py"


rule summarise_reconstructions:
    """Tabulate reconstructions by split, dataset and diagnosis, beside the mean image."""
    input:
        table=results("autoencoder/{model}/reconstruction.tsv"),
        index=results("latents/{model}/index.tsv"),
        baseline=mean_image_table,
    output:
        summary=results("autoencoder/{model}/reconstruction_summary.tsv"),
    log:
        results("logs/summarise_reconstructions/{model}.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=code_of("summarise_reconstructions"),
    script:
        "../scripts/summarise_reconstructions.py"
