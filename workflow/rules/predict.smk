"""Forecasts that someone asks for: target predict with predict.requests.

in:  a table of subject and age_years, latents/{model}/latents.npz, volumes/volumes.tsv
out: predict/{model}/predictions.tsv and refused.tsv, predict/{model}/images (in MNI space and in
     the person's own), predict/{model}/volumes.tsv, predict/{model}/predictions.png and
     animations, predict/{model}/viewer.html

predict_scans         forecast, decode, bring back to the person's own space
measure_predictions   volumes of the forecasts, beside those from volumes alone with intervals
plot_predictions      a strip and an animation per person
view_predictions      the page on which one slides the age of these people
"""


include: "inputs/predict.smk"


rule predict_scans:
    """Forecast the scans that someone asks for."""
    input:
        requests=requests_table,
        latents=results("latents/{model}/latents.npz"),
        index=results("latents/{model}/index.tsv"),
        weights=results("autoencoder/{model}/model.safetensors"),
        network=results("autoencoder/{model}/config.json"),
        rates=results("aging/{model}/rates.safetensors"),
        brains=last_brains,
        native_masks=last_native_masks,
        transforms=last_transforms,
    output:
        folder=directory(results("predict/{model}/images")),
        predictions=results("predict/{model}/predictions.tsv"),
        refused=results("predict/{model}/refused.tsv"),
    log:
        results("logs/predict_scans/{model}.log"),
    conda:
        "../../envs/torch.yaml"
    threads: 2
    resources:
        mem_mb=growing(12000),
        runtime=growing(60),
        gpu=1,
    params:
        settings=config["aging"],
        space=config["space"],
        decoding=DECODING,
        natives=last_with_heads,
        preprocessed=results("preprocess"),
        code=code_of("predict_scans"),
    script:
        "../scripts/predict_scans.py"


rule measure_predictions:
    """Measure the volumes of requested forecasts."""
    input:
        predictions=results("predict/{model}/predictions.tsv"),
        folder=results("predict/{model}/images"),
        reconstructed=results("autoencoder/{model}/reconstruction.tsv"),
        reconstructions=reconstruction_folders,
        volumes=results("volumes/volumes.tsv"),
        index=results("latents/{model}/index.tsv"),
        rates=bundled_rates,
        weights=segmenter_weights,
    output:
        volumes=results("predict/{model}/volumes.tsv"),
    log:
        results("logs/measure_predictions/{model}.log"),
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=growing(max(4000, SEGMENTATION_MEM_MB)),
        runtime=growing(60),
        gpu=SEGMENTATION_GPU,
    params:
        settings=SEGMENTATION,
        anchor=config["aging"]["anchor"],
        code=code_of("measure_predictions"),
    script:
        "../scripts/measure_predictions.py"


rule plot_predictions:
    """Show the requested forecasts of each person as a strip and as an animation."""
    input:
        predictions=results("predict/{model}/predictions.tsv"),
        folder=results("predict/{model}/images"),
        brains=last_brains,
    output:
        figure=results("predict/{model}/predictions.png"),
        animations=directory(results("predict/{model}/animations")),
    log:
        results("logs/plot_predictions/{model}.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        settings=config["report"],
        code=code_of("plot_predictions"),
    script:
        "../scripts/plot_predictions.py"


rule view_predictions:
    """Write the page on which one slides the age of the people asked for."""
    input:
        predictions=results("predict/{model}/predictions.tsv"),
        folder=results("predict/{model}/images"),
        predicted=results("predict/{model}/volumes.tsv"),
        brains=usable_brains,
        masks=usable_masks,
        index=results("latents/{model}/index.tsv"),
        reconstructed=results("autoencoder/{model}/reconstruction.tsv"),
        reconstructions=reconstruction_folders,
        volumes=results("volumes/volumes.tsv"),
    output:
        page=results("predict/{model}/viewer.html"),
        further=directory(results("predict/{model}/viewer")),
    log:
        results("logs/view_predictions/{model}.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        settings=config["report"],
        voxel_mm=config["space"]["voxel_mm"],
        code=code_of("view_predictions"),
    script:
        "../scripts/view_predictions.py"
