"""Forecasts of later scans and interpolation between scans, in latent space.

in:  latents/{model}/, autoencoder/{model}/, preprocessed scans, volumes/volumes.tsv
out: aging/{model}/rates.safetensors, predictions.tsv, errors.tsv, summary.tsv, matched.tsv,
     comparisons.tsv, coverage.tsv, choice.tsv, groups.tsv, control.tsv, image_errors.tsv,
     image_summary.tsv, linearity.tsv and images

fit_rates                  what training people tell of rates in the latents
forecast_scans             extrapolate the latents of held-out subjects to later ages, decode, a block of people
gather_forecasts           tables of all blocks as one
interpolate_scans          mix the latents of a subject's first and last scan, decode
score_forecasts            regional volumes of forecasts and baselines against those observed
control_forecasts          the gain over the copy with the ages of training people shuffled
judge_forecast_images      the images of forecasts against the scans observed, a block of people
summarise_forecast_images  tables of all blocks as one, and their means
measure_linearity          how straight regional volumes run along interpolated scans
"""


include: "inputs/aging.smk"


rule fit_rates:
    """Fit the methods that learn from training people, once for all forecasts."""
    input:
        latents=in_blocks(training_blocks, "latents.npz"),
        indexes=in_blocks(training_blocks, "index.tsv"),
        brought=bundled_rates,
    output:
        rates=results("aging/{model}/rates.safetensors"),
    log:
        results("logs/fit_rates/{model}.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 2
    resources:
        mem_mb=growing(8000),
        runtime=growing(30),
    params:
        code=code_of("fit_rates"),
    script:
        "../scripts/fit_rates.py"


rule forecast_scans:
    """Forecast later scans of a block of held-out people and decode them."""
    input:
        latents=results("latents/{model}/blocks/{dataset}/{block}/latents.npz"),
        index=results("latents/{model}/blocks/{dataset}/{block}/index.tsv"),
        weights=results("autoencoder/{model}/model.safetensors"),
        network=results("autoencoder/{model}/config.json"),
        rates=results("aging/{model}/rates.safetensors"),
        masks=forecast_masks,
        brains=seen_brains,
        external=external_files,
        transforms=external_transforms,
    output:
        folder=directory(results("aging/{model}/predicted/{dataset}/{block}")),
        table=results("aging/{model}/blocks/{dataset}_{block}_forecasts.tsv"),
    log:
        results("logs/forecast_scans/{model}/{dataset}_{block}.log"),
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
        resampling=config["preprocess"]["resampling"],
        intensity=config["preprocess"]["intensity"],
        images=forecast_files,
        natives=external_natives,
        preprocessed=results("preprocess"),
        folder_name="aging/{model}/predicted/{dataset}/{block}",
        code=code_of("forecast_scans"),
    script:
        "../scripts/forecast_scans.py"


rule gather_forecasts:
    """Put the tables of forecasts of all blocks of people under each other."""
    input:
        tables=forecast_tables,
    output:
        predictions=results("aging/{model}/predictions.tsv"),
    log:
        results("logs/gather_forecasts/{model}.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        code=code_of("gather_forecasts"),
    script:
        "../scripts/gather_forecasts.py"


rule interpolate_scans:
    """Decode straight lines in latent space between a subject's first and last scan."""
    input:
        latents=in_blocks(interpolated_blocks, "latents.npz"),
        indexes=in_blocks(interpolated_blocks, "index.tsv"),
        weights=results("autoencoder/{model}/model.safetensors"),
        network=results("autoencoder/{model}/config.json"),
        ends=interpolation_images,
    output:
        folder=directory(results("aging/{model}/interpolated")),
        interpolations=results("aging/{model}/interpolations.tsv"),
    log:
        results("logs/interpolate_scans/{model}.log"),
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
        preprocessed=results("preprocess"),
        folder_name="aging/{model}/interpolated",
        code=code_of("interpolate_scans"),
    script:
        "../scripts/interpolate_scans.py"


rule score_forecasts:
    """Compare regional volumes of forecasts and baselines with those observed."""
    input:
        predictions=results("aging/{model}/predictions.tsv"),
        volumes=results("volumes/volumes.tsv"),
        index=results("latents/{model}/index.tsv"),
        rates=bundled_rates,
    output:
        errors=results("aging/{model}/errors.tsv"),
        summary=results("aging/{model}/summary.tsv"),
        matched=results("aging/{model}/matched.tsv"),
        comparisons=results("aging/{model}/comparisons.tsv"),
        coverage=results("aging/{model}/coverage.tsv"),
        choice=results("aging/{model}/choice.tsv"),
        groups=results("aging/{model}/groups.tsv"),
    log:
        results("logs/score_forecasts/{model}.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(20),
    params:
        anchor=config["aging"]["anchor"],
        code=code_of("score_forecasts"),
    script:
        "../scripts/score_forecasts.py"


rule control_forecasts:
    """Forecast with the ages of training people shuffled: the gain over the copy has to go."""
    input:
        latents=results("latents/{model}/latents.npz"),
        index=results("latents/{model}/index.tsv"),
        predictions=results("aging/{model}/predictions.tsv"),
        errors=results("aging/{model}/errors.tsv"),
        volumes=results("volumes/volumes.tsv"),
    output:
        control=results("aging/{model}/control.tsv"),
    log:
        results("logs/control_forecasts/{model}.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(8000),
        runtime=growing(60),
    params:
        settings=config["aging"],
        code=code_of("control_forecasts"),
    script:
        "../scripts/control_forecasts.py"


rule judge_forecast_images:
    """Compare the forecast images of a block of people with the scans observed."""
    input:
        forecasts=results("aging/{model}/blocks/{dataset}_{block}_forecasts.tsv"),
        predicted=results("aging/{model}/predicted/{dataset}/{block}"),
        rebuilt=results("latents/{model}/reconstructions/{dataset}/{block}"),
        brains=compared_brains,
        masks=compared_masks,
    output:
        table=results("aging/{model}/blocks/{dataset}_{block}_images.tsv"),
    log:
        results("logs/judge_forecast_images/{model}/{dataset}_{block}.log"),
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        preprocessed=results("preprocess"),
        folder_name="aging/{model}/predicted/{dataset}/{block}",
        code=code_of("judge_forecast_images"),
    script:
        "../scripts/judge_forecast_images.py"


rule summarise_forecast_images:
    """Put the tables of all blocks together, and summarise them."""
    input:
        tables=forecast_image_tables,
    output:
        errors=results("aging/{model}/image_errors.tsv"),
        summary=results("aging/{model}/image_summary.tsv"),
    log:
        results("logs/summarise_forecast_images/{model}.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        code=code_of("summarise_forecast_images"),
    script:
        "../scripts/summarise_forecast_images.py"


rule measure_linearity:
    """Measure how straight regional volumes run along interpolated scans."""
    input:
        volumes=results("volumes/volumes.tsv"),
        interpolations=results("aging/{model}/interpolations.tsv"),
    output:
        curves=results("aging/{model}/linearity_curves.tsv"),
        linearity=results("aging/{model}/linearity.tsv"),
        summary=results("aging/{model}/linearity_summary.tsv"),
    log:
        results("logs/measure_linearity/{model}.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        settings=config["aging"],
        code=code_of("measure_linearity"),
    script:
        "../scripts/measure_linearity.py"
