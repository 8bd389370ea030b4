"""The results as BIDS derivatives, to hand on and to load elsewhere.

in:  preprocessed scans, reconstructions, forecasts, segmentations and their tables
out: derivatives/<dataset>/: links to images, sidecars, participants, sessions, phenotype/

write_derivatives  names that the BIDS validator accepts, tables with data dictionaries
"""


rule write_derivatives:
    """Lay the results out as one BIDS derivative data set per data set."""
    input:
        brains=usable_brains,
        scans=results(f"latents/{MODELS[0]}/index.tsv"),
        volumes=results("volumes/volumes.tsv"),
        rates=results("volumes/rates.tsv"),
        predictions=expand(results("aging/{model}/predictions.tsv"), model=MODELS),
        reconstructions=expand(
            results("autoencoder/{model}/reconstruction.tsv"), model=MODELS
        ),
        folders=all_reconstruction_folders,
        errors=expand(results("aging/{model}/errors.tsv"), model=MODELS),
    output:
        folder=directory(results("derivatives")),
    log:
        results("logs/write_derivatives.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        models=MODELS,
        code=code_of("write_derivatives"),
    script:
        "../scripts/write_derivatives.py"
