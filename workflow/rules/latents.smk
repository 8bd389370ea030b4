"""Latents: every usable scan encoded by every autoencoder, and decoded again.

in:  preprocessed brains and masks, autoencoder/{model}/, preprocess/contract.json
out: latents/{model}/blocks/, latents.npz, index.tsv, reconstructions/,
     autoencoder/{model}/reconstruction.tsv, reconstruction_summary.tsv,
     baselines/mean_image.nii.gz, mean_image.tsv

encode_scans               latent mean and log-variance of every scan of a block of people
gather_latents             latents of all blocks as one
reconstruct_scans          decode the means, compare with the scans in the mask and on the grid
gather_reconstructions     tables of all blocks as one
average_scans              mean training scan
judge_mean_image           the mean training scan in place of every reconstruction
gather_mean_image          tables of all blocks as one
summarise_reconstructions  both by split, dataset and diagnosis

Scans are encoded, reconstructed and judged in blocks of people (brainlapse/cohort/blocks.py).
"""


include: "inputs/latents.smk"


rule encode_scans:
    """Encode the scans of a block of people with one autoencoder."""
    input:
        brains=brains_of_block,
        contract=ancient(results("preprocess/contract.json")),
        weights=results("autoencoder/{model}/model.safetensors"),
        card=results("autoencoder/{model}/config.json"),
    output:
        latents=results("latents/{model}/blocks/{dataset}/{block}/latents.npz"),
        index=results("latents/{model}/blocks/{dataset}/{block}/index.tsv"),
    log:
        results("logs/encode_scans/{model}/{dataset}_{block}.log"),
    conda:
        "../../envs/torch.yaml"
    threads: 2
    resources:
        mem_mb=growing(12000),
        runtime=growing(60),
        gpu=1,
    params:
        settings=ENCODING,
        scans=rows_of_block,
        code=code_of("encode_scans"),
    script:
        "../scripts/encode_scans.py"


rule gather_latents:
    """Put the latents of all blocks of people by one autoencoder into one file."""
    input:
        latents=in_blocks(all_blocks, "latents.npz"),
        indexes=in_blocks(all_blocks, "index.tsv"),
    output:
        latents=results("latents/{model}/latents.npz"),
        index=results("latents/{model}/index.tsv"),
    log:
        results("logs/gather_latents/{model}.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(8000),
        runtime=growing(30),
    params:
        scans=usable_selection,
        code=code_of("gather_latents"),
    script:
        "../scripts/gather_latents.py"


rule reconstruct_scans:
    """Decode the latents of a block of people and compare them with their scans."""
    input:
        brains=brains_of_block,
        masks=masks_of_block,
        latents=results("latents/{model}/blocks/{dataset}/{block}/latents.npz"),
        index=results("latents/{model}/blocks/{dataset}/{block}/index.tsv"),
        weights=results("autoencoder/{model}/model.safetensors"),
        card=results("autoencoder/{model}/config.json"),
    output:
        folder=directory(results("latents/{model}/reconstructions/{dataset}/{block}")),
        table=results("autoencoder/{model}/blocks/{dataset}_{block}.tsv"),
    log:
        results("logs/reconstruct_scans/{model}/{dataset}_{block}.log"),
    conda:
        "../../envs/torch.yaml"
    threads: 2
    resources:
        mem_mb=growing(12000),
        runtime=growing(60),
        gpu=1,
    params:
        settings=config["latents"],
        space=config["space"],
        folder_name="latents/{model}/reconstructions/{dataset}/{block}",
        code=code_of("reconstruct_scans"),
    script:
        "../scripts/reconstruct_scans.py"


rule gather_reconstructions:
    """Put the tables of all blocks of one autoencoder under each other."""
    input:
        tables=reconstruction_tables,
        index=results("latents/{model}/index.tsv"),
    output:
        table=results("autoencoder/{model}/reconstruction.tsv"),
    log:
        results("logs/gather_reconstructions/{model}.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        code=code_of("gather_blocks"),
    script:
        "../scripts/gather_blocks.py"


rule average_scans:
    """Average the training scans: the baseline of all models."""
    input:
        brains=training_brains,
    output:
        image=results("baselines/mean_image.nii.gz"),
    log:
        results("logs/average_scans.log"),
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        space=config["space"],
        code=code_of("average_scans"),
    script:
        "../scripts/average_scans.py"


rule judge_mean_image:
    """Compare the scans of a block of people with the mean training scan."""
    input:
        image=results("baselines/mean_image.nii.gz"),
        brains=brains_of_block,
        masks=masks_of_block,
    output:
        table=results("baselines/blocks/{dataset}_{block}.tsv"),
    log:
        results("logs/judge_mean_image/{dataset}_{block}.log"),
    conda:
        "../../envs/torch.yaml"
    threads: 2
    resources:
        mem_mb=growing(8000),
        runtime=growing(60),
    params:
        scans=selection_of_block,
        space=config["space"],
        perceptual=config["latents"]["perceptual"],
        code=code_of("judge_mean_image"),
    script:
        "../scripts/judge_mean_image.py"


rule gather_mean_image:
    """Put the tables of all blocks under each other."""
    input:
        tables=judged_tables,
        index=results("cohort/scans.tsv"),
    output:
        table=results("baselines/mean_image.tsv"),
    log:
        results("logs/gather_mean_image.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        code=code_of("gather_blocks"),
    script:
        "../scripts/gather_blocks.py"


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
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        code=code_of("summarise_reconstructions"),
    script:
        "../scripts/summarise_reconstructions.py"
