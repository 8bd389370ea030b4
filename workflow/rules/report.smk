"""The pages that show a run.

Inputs: figures, the tables of every stage, the preprocessed scans, reconstructions and forecasts.
Outputs: report/qc.html, report/viewer.html, report/index.html with its methods and references.

write_quality_page  the page on which a person goes through the scans
write_viewer        the page on which one slides the age of a person's brain
write_report        the page of the whole run
"""


include: "inputs/report.smk"


rule write_quality_page:
    """Write the page on which a person goes through the scans."""
    input:
        table=results("preprocess/qc.tsv"),
        visits=results("preprocess/visits.tsv"),
        pictures=results("report/quality"),
    output:
        page=results("report/qc.html"),
    log:
        results("logs/write_quality_page.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        title=config["report"]["title"],
        captions=CAPTIONS,
        code=code_of("write_quality_page"),
    script:
        "../scripts/write_quality_page.py"


rule write_viewer:
    """Write the page on which one slides the age of a person's brain."""
    input:
        brains=usable_brains,
        masks=usable_masks,
        scans=results(f"latents/{VIEWED}/index.tsv"),
        reconstructed=results(f"autoencoder/{VIEWED}/reconstruction.tsv"),
        reconstructions=viewed_folders,
        predictions=results(f"aging/{VIEWED}/predictions.tsv"),
        predicted=viewed_forecasts,
        errors=results(f"aging/{VIEWED}/errors.tsv"),
        volumes=results("volumes/volumes.tsv"),
    output:
        page=results("report/viewer.html"),
        further=directory(results("report/viewer")),
    log:
        results("logs/write_viewer.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        model=VIEWED,
        settings=config["report"],
        voxel_mm=config["space"]["voxel_mm"],
        code=code_of("write_viewer"),
    script:
        "../scripts/write_viewer.py"


rule write_report:
    """Write the page that shows the whole run."""
    input:
        cohort=[
            results("cohort/scans.tsv"),
            results("cohort/rejected.tsv"),
            results("cohort/alternatives.tsv"),
            results("report/figures/cohort.png"),
        ],
        quality=[
            results("preprocess/qc.tsv"),
            results("preprocess/visits.tsv"),
            results("preprocess/doubles.tsv"),
            results("preprocess/rejected.tsv"),
            results("report/quality"),
            results("report/figures/quality.png"),
        ],
        comparison=[
            results("analysis/models.tsv"),
            results("report/figures/image_errors.png"),
            results("report/figures/volume_errors.png"),
        ],
        mean_image_errors=mean_image_errors,
        autoencoders=expand(
            [
                results("autoencoder/{model}/history.tsv"),
                results("autoencoder/{model}/reconstruction.tsv"),
                results("autoencoder/{model}/reconstruction_summary.tsv"),
                results("autoencoder/{model}/volume_error.tsv"),
                results("report/figures/{model}/training.png"),
                results("report/figures/{model}/reconstructions.png"),
                results("report/figures/{model}/latents.png"),
                results("report/figures/{model}/walks.png"),
                results("report/figures/{model}/directions.png"),
                results("analysis/{model}/separation.tsv"),
                results("analysis/{model}/directions.tsv"),
                results("analysis/{model}/anomaly.tsv"),
            ],
            model=MODELS,
        ),
        error_maps=ERROR_MAPS,
        tasks=expand(
            [
                results("analysis/{model}/tasks/{task}/metrics.tsv"),
                results("report/figures/{model}/task-{task}.png"),
            ],
            model=MODELS,
            task=TASKS,
        ),
        heads=HEAD_TABLES,
        sites=[
            results("cohort/site_audit.tsv"),
            results("volumes/site_steps.tsv"),
        ],
        noise_floor=results("volumes/noise_floor.tsv"),
        group_rates=results("volumes/group_rates.tsv"),
        norms=[
            results("analysis/norm_fits.tsv"),
            results("analysis/norm_scores.tsv"),
            results("analysis/rate_norm_fits.tsv"),
            results("analysis/rate_norm_scores.tsv"),
            results("report/figures/norms.png"),
        ],
        ageing=expand(
            [
                results("aging/{model}/errors.tsv"),
                results("aging/{model}/summary.tsv"),
                results("aging/{model}/comparisons.tsv"),
                results("aging/{model}/coverage.tsv"),
                results("aging/{model}/choice.tsv"),
                results("aging/{model}/control.tsv"),
                results("aging/{model}/image_summary.tsv"),
                results("report/figures/{model}/forecasts.png"),
                results("report/figures/{model}/trajectories.png"),
                results("report/figures/{model}/errors.png"),
                results("report/figures/{model}/matched.png"),
                results("aging/{model}/linearity_summary.tsv"),
                results("report/figures/{model}/interpolants.png"),
                results("report/figures/{model}/linearity.png"),
            ],
            model=MODELS,
        ),
        volumes=results("volumes/volumes.tsv"),
    output:
        page=results("report/index.html"),
        methods=results("report/methods.md"),
        references=results("report/references.bib"),
    log:
        results("logs/write_report.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        models=MODELS,
        captions=CAPTIONS,
        config=config,
        code=code_of("write_report"),
    script:
        "../scripts/write_report.py"
