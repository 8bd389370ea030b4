"""Figures of a run.

Inputs: the tables of every stage, the preprocessed scans, reconstructions and forecasts.
Outputs: report/figures/*.png, report/quality/ (pictures).

plot_cohort           ages, visits, groups
plot_quality          a picture per scan, distributions of the quality numbers
plot_training         loss curves of a model
plot_reconstructions  best, median and worst reconstruction of a model
plot_comparison       image metrics and volume errors of all models beside the mean image
plot_latents          principal components of the latents of a model
plot_directions       brains along the components, maps of what the tasks of a model look at
plot_task             one classification or regression from the latents of a model
plot_norms            centiles of regional volumes over age, with the people
plot_forecasts        forecast scans, volume trajectories, errors of a model
plot_linearity        the scans between two scans of a person, and how their volumes run
"""


include: "inputs/figures.smk"


rule plot_cohort:
    """Plot ages, visits and groups of the cohort."""
    input:
        scans=results("cohort/scans.tsv"),
    output:
        figure=report(
            results("report/figures/cohort.png"),
            caption="../report/cohort.rst",
            category="Cohort",
        ),
    log:
        results("logs/plot_cohort.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        dots_per_inch=config["report"]["dots_per_inch"],
        code=code_of("plot_cohort"),
    script:
        "../scripts/plot_cohort.py"


rule plot_quality:
    """Picture the preprocessing of scans and plot the quality numbers."""
    input:
        images=pictured_images,
        table=results("preprocess/qc.tsv"),
        visits=results("preprocess/visits.tsv"),
    output:
        pictures=directory(results("report/quality")),
        figure=report(
            results("report/figures/quality.png"),
            caption="../report/quality.rst",
            category="Quality",
        ),
    log:
        results("logs/plot_quality.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(120),
    params:
        settings=config["report"],
        space=config["space"],
        code=code_of("plot_quality"),
    script:
        "../scripts/plot_quality.py"


rule plot_training:
    """Plot the loss curves of one autoencoder."""
    input:
        history=results("autoencoder/{model}/history.tsv"),
    output:
        figure=report(
            results("report/figures/{model}/training.png"),
            caption="../report/training.rst",
            category="Autoencoders",
            labels={"model": "{model}", "figure": "loss curves"},
        ),
    log:
        results("logs/plot_training/{model}.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        dots_per_inch=config["report"]["dots_per_inch"],
        code=code_of("plot_training"),
    script:
        "../scripts/plot_training.py"


rule plot_reconstructions:
    """Plot the best, the median and the worst reconstruction of one autoencoder."""
    input:
        brains=usable_brains,
        scans=results("cohort/scans.tsv"),
        table=results("autoencoder/{model}/reconstruction.tsv"),
        reconstructions=reconstruction_folders,
    output:
        figure=report(
            results("report/figures/{model}/reconstructions.png"),
            caption="../report/reconstructions.rst",
            category="Autoencoders",
            labels={"model": "{model}", "figure": "reconstructions"},
        ),
    log:
        results("logs/plot_reconstructions/{model}.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        settings=config["report"],
        code=code_of("plot_reconstructions"),
    script:
        "../scripts/plot_reconstructions.py"


rule plot_comparison:
    """Plot image metrics and volume errors of all autoencoders side by side."""
    input:
        scores=expand(results("autoencoder/{model}/reconstruction.tsv"), model=MODELS),
        errors=expand(results("autoencoder/{model}/volume_error.tsv"), model=MODELS),
        mean_image=mean_image_table,
        mean_image_errors=mean_image_errors,
    output:
        images=report(
            results("report/figures/image_errors.png"),
            caption="../report/image_errors.rst",
            category="Autoencoders",
            labels={"model": "all", "figure": "image metrics"},
        ),
        volumes=report(
            results("report/figures/volume_errors.png"),
            caption="../report/volume_errors.rst",
            category="Autoencoders",
            labels={"model": "all", "figure": "volume errors"},
        ),
    log:
        results("logs/plot_comparison.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        models=MODELS,
        dots_per_inch=config["report"]["dots_per_inch"],
        code=code_of("plot_comparison"),
    script:
        "../scripts/plot_comparison.py"


rule plot_latents:
    """Plot the latent space of one autoencoder in two principal components."""
    input:
        scores=results("analysis/{model}/pca.tsv"),
        variance=results("analysis/{model}/pca_variance.tsv"),
        index=results("latents/{model}/index.tsv"),
        map=neighbour_map,
    output:
        figure=report(
            results("report/figures/{model}/latents.png"),
            caption="../report/latents.rst",
            category="Latent space",
            labels={"model": "{model}", "figure": "principal components"},
        ),
    log:
        results("logs/plot_latents/{model}.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        dots_per_inch=config["report"]["dots_per_inch"],
        code=code_of("plot_latents"),
    script:
        "../scripts/plot_latents.py"


rule plot_directions:
    """Plot brains along the principal components of one autoencoder, and maps of its tasks."""
    input:
        walks=results("analysis/{model}/walks"),
        directions=results("analysis/{model}/directions"),
        table=results("analysis/{model}/directions.tsv"),
        variance=results("analysis/{model}/pca_variance.tsv"),
        metrics=metrics_of_tasks,
    output:
        walks=report(
            results("report/figures/{model}/walks.png"),
            caption="../report/walks.rst",
            category="Latent space",
            labels={"model": "{model}", "figure": "walks along the components"},
        ),
        directions=report(
            results("report/figures/{model}/directions.png"),
            caption="../report/directions.rst",
            category="Tasks",
            labels={"model": "{model}", "figure": "where tasks look"},
        ),
    log:
        results("logs/plot_directions/{model}.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        walk_sd=config["analysis"]["walk_sd"],
        settings=config["report"],
        code=code_of("plot_directions"),
    script:
        "../scripts/plot_directions.py"


rule plot_task:
    """Plot the predictions of one task from one autoencoder."""
    input:
        predictions=results("analysis/{model}/tasks/{task}/predictions.tsv"),
    output:
        figure=report(
            results("report/figures/{model}/task-{task}.png"),
            caption="../report/task.rst",
            category="Tasks",
            labels={"model": "{model}", "figure": "{task}"},
        ),
    log:
        results("logs/plot_task/{model}/{task}.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        task=task_settings,
        dots_per_inch=config["report"]["dots_per_inch"],
        code=code_of("plot_task"),
    script:
        "../scripts/plot_task.py"


rule plot_norms:
    """Plot centiles of regional volumes over age, with the people."""
    input:
        curves=results("analysis/norms.tsv"),
        scores=results("analysis/norm_scores.tsv"),
        fits=results("analysis/norm_fits.tsv"),
    output:
        figure=report(
            results("report/figures/norms.png"),
            caption="../report/norms.rst",
            category="Norms",
        ),
    log:
        results("logs/plot_norms.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        dots_per_inch=config["report"]["dots_per_inch"],
        code=code_of("plot_norms"),
    script:
        "../scripts/plot_norms.py"


rule plot_forecasts:
    """Plot forecast scans, volume trajectories and errors of one autoencoder."""
    input:
        brains=usable_brains,
        scans=results("cohort/scans.tsv"),
        volumes=results("volumes/volumes.tsv"),
        predictions=results("aging/{model}/predictions.tsv"),
        predicted=predicted_folders,
        reconstructed=results("autoencoder/{model}/reconstruction.tsv"),
        reconstructions=reconstruction_folders,
        errors=results("aging/{model}/errors.tsv"),
        matched=results("aging/{model}/matched.tsv"),
    output:
        forecasts=report(
            results("report/figures/{model}/forecasts.png"),
            caption="../report/forecasts.rst",
            category="Ageing",
            labels={"model": "{model}", "figure": "forecast scans"},
        ),
        trajectories=report(
            results("report/figures/{model}/trajectories.png"),
            caption="../report/trajectories.rst",
            category="Ageing",
            labels={"model": "{model}", "figure": "volume trajectories"},
        ),
        errors=report(
            results("report/figures/{model}/errors.png"),
            caption="../report/errors.rst",
            category="Ageing",
            labels={"model": "{model}", "figure": "forecast errors"},
        ),
        matched=report(
            results("report/figures/{model}/matched.png"),
            caption="../report/matched.rst",
            category="Ageing",
            labels={"model": "{model}", "figure": "errors over scans seen"},
        ),
    log:
        results("logs/plot_forecasts/{model}.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(20),
    params:
        settings=config["report"],
        code=code_of("plot_forecasts"),
    script:
        "../scripts/plot_forecasts.py"


rule plot_linearity:
    """Plot the scans between two scans, and how their regional volumes run."""
    input:
        interpolations=results("aging/{model}/interpolations.tsv"),
        images=results("aging/{model}/interpolated"),
        latents=results("latents/{model}/latents.npz"),
        index=results("latents/{model}/index.tsv"),
        curves=results("aging/{model}/linearity_curves.tsv"),
        linearity=results("aging/{model}/linearity.tsv"),
    output:
        interpolants=report(
            results("report/figures/{model}/interpolants.png"),
            caption="../report/interpolants.rst",
            category="Ageing",
            labels={"model": "{model}", "figure": "scans between two scans"},
        ),
        linearity=report(
            results("report/figures/{model}/linearity.png"),
            caption="../report/linearity.rst",
            category="Ageing",
            labels={"model": "{model}", "figure": "linearity"},
        ),
    log:
        results("logs/plot_linearity/{model}.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(10),
    params:
        settings=config["report"],
        code=code_of("plot_linearity"),
    script:
        "../scripts/plot_linearity.py"
