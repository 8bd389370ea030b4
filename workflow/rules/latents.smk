"""Latents: every usable scan encoded by every autoencoder, and decoded again.

in:  preprocessed brains and masks, autoencoder/{model}/, preprocess/contract.json
out: latents/{model}/latents.npz, index.tsv, reconstructions/,
     autoencoder/{model}/reconstruction.tsv

encode_scans        latent mean and log-variance of every scan
reconstruct_scans   decode the means, compare with the scans in the mask and on the grid
"""


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
        code=code_of("reconstruct_scans"),
    script:
        "../scripts/reconstruct_scans.py"
