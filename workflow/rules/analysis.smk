"""What the latent space holds.

in:  latents/{model}/latents.npz, latents/{model}/index.tsv, cohort/scans.tsv, preprocess/qc.tsv,
     volumes/volumes.tsv, volumes/real/, latents/{model}/reconstructions/
out: cohort/site_audit.tsv, analysis/norms.tsv, analysis/norm_scores.tsv, analysis/rate_norms.tsv,
     analysis/rate_norm_scores.tsv, analysis/{model}/pca.tsv,
     analysis/{model}/umap.tsv,
     analysis/{model}/separation.tsv, analysis/{model}/tasks/{task}/metrics.tsv,
     analysis/{model}/heads.tsv, walks/, directions/, anomaly.tsv, error_maps.tsv, error_maps/,
     analysis/models.tsv

audit_sites        what data set, site and scanner can't be told from
fit_norms          regional volumes of controls over age, and where each scan stands
fit_rate_norms     the same of yearly change, in volumes and in latents
reduce_latents     principal components of the training scans, every scan projected
embed_latents      every scan on a map of neighbours, an option
separate_groups    how far groups of people stand apart in them
evaluate_task      one prediction task, cross-validated over subjects, beside its baselines
evaluate_heads     heads trained with an autoencoder, and on its frozen latents, on people held out
decode_directions  brains along the principal components, maps of what each task looks at
compare_models     one table of all models, on the same people
compare_regions    error of the reconstructions of a block of people in each region
find_anomalies     regional errors of each scan against those of training and validation people
average_errors     the errors, voxel by voxel, of the people that others are held against
map_errors         voxels in which scans of a block are given back worse than theirs, an option
gather_error_maps  what the maps of all blocks hold
"""


include: "inputs/analysis.smk"


rule audit_sites:
    """Say what data set, site and scanner can't be told from."""
    input:
        scans=results("cohort/scans.tsv"),
        quality=results("preprocess/qc.tsv"),
    output:
        audit=results("cohort/site_audit.tsv"),
    log:
        results("logs/audit_sites.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        tasks=AUDITED_TASKS,
        seed=config["seed"],
        code=code_of("audit_sites"),
    script:
        "../scripts/audit_sites.py"


rule fit_norms:
    """Fit norms of regional volumes to controls and hold every scan against them."""
    input:
        volumes=results("volumes/volumes.tsv"),
        scans=results("cohort/scans.tsv"),
        quality=results("preprocess/qc.tsv"),
    output:
        curves=results("analysis/norms.tsv"),
        fits=results("analysis/norm_fits.tsv"),
        scores=results("analysis/norm_scores.tsv"),
        pcntoolkit=results("analysis/norms_pcntoolkit.csv"),
    log:
        results("logs/fit_norms.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(20),
    params:
        settings=config["analysis"]["norms"],
        code=code_of("fit_norms"),
    script:
        "../scripts/fit_norms.py"


rule fit_rate_norms:
    """Fit norms of yearly change, of volumes and latents, and hold everybody against them."""
    input:
        rates=results("volumes/rates.tsv"),
        components=expand(results("analysis/{model}/pca.tsv"), model=MODELS),
        scans=results("cohort/scans.tsv"),
        quality=results("preprocess/qc.tsv"),
    output:
        curves=results("analysis/rate_norms.tsv"),
        fits=results("analysis/rate_norm_fits.tsv"),
        scores=results("analysis/rate_norm_scores.tsv"),
    log:
        results("logs/fit_rate_norms.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(20),
    params:
        models=MODELS,
        settings=config["analysis"]["norms"],
        code=code_of("fit_rate_norms"),
    script:
        "../scripts/fit_rate_norms.py"


rule reduce_latents:
    """Reduce the latents of every scan to principal components of the training scans."""
    input:
        latents=results("latents/{model}/latents.npz"),
        index=results("latents/{model}/index.tsv"),
        known=bundled_components,
    output:
        scores=results("analysis/{model}/pca.tsv"),
        variance=results("analysis/{model}/pca_variance.tsv"),
    log:
        results("logs/reduce_latents/{model}.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(8000),
        runtime=growing(30),
    params:
        settings=ANALYSIS,
        seed=config["seed"],
        code=code_of("reduce_latents"),
    script:
        "../scripts/reduce_latents.py"


rule embed_latents:
    """Lay every scan on a map of neighbours that is fitted to training scans."""
    input:
        scores=results("analysis/{model}/pca.tsv"),
        index=results("latents/{model}/index.tsv"),
    output:
        map=results("analysis/{model}/umap.tsv"),
    log:
        results("logs/embed_latents/{model}.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        seed=config["seed"],
        code=code_of("embed_latents"),
    script:
        "../scripts/embed_latents.py"


rule separate_groups:
    """Measure how far groups of people stand apart in the components."""
    input:
        scores=results("analysis/{model}/pca.tsv"),
        index=results("latents/{model}/index.tsv"),
    output:
        separation=results("analysis/{model}/separation.tsv"),
    log:
        results("logs/separate_groups/{model}.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        seed=config["seed"],
        code=code_of("separate_groups"),
    script:
        "../scripts/separate_groups.py"


rule evaluate_task:
    """Evaluate one prediction task by cross-validation over subjects."""
    input:
        latents=results("latents/{model}/latents.npz"),
        index=results("latents/{model}/index.tsv"),
        volumes=task_volumes,
        quality=task_quality,
    output:
        predictions=results("analysis/{model}/tasks/{task}/predictions.tsv"),
        metrics=results("analysis/{model}/tasks/{task}/metrics.tsv"),
    log:
        results("logs/evaluate_task/{model}_{task}.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(8000),
        runtime=growing(60),
    params:
        task=task_settings,
        taught=taught_targets,
        settings=ANALYSIS,
        seed=config["seed"],
        code=code_of("evaluate_task"),
    script:
        "../scripts/evaluate_task.py"


rule evaluate_heads:
    """Judge heads on people held out: trained with an autoencoder, and on its frozen latents."""
    input:
        latents=results("latents/{model}/latents.npz"),
        index=results("latents/{model}/index.tsv"),
        weights=results("autoencoder/{model}/model.safetensors"),
        card=results("autoencoder/{model}/config.json"),
    output:
        table=results("analysis/{model}/heads.tsv"),
    log:
        results("logs/evaluate_heads/{model}.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(8000),
        runtime=growing(60),
    params:
        tasks=HEAD_TASKS,
        settings=ANALYSIS,
        seed=config["seed"],
        code=code_of("evaluate_heads"),
    script:
        "../scripts/evaluate_heads.py"


rule decode_directions:
    """Decode walks along the principal components, and what each task looks at."""
    input:
        latents=results("latents/{model}/latents.npz"),
        index=results("latents/{model}/index.tsv"),
        known=bundled_components,
        weights=results("autoencoder/{model}/model.safetensors"),
        card=results("autoencoder/{model}/config.json"),
    output:
        walks=directory(results("analysis/{model}/walks")),
        directions=directory(results("analysis/{model}/directions")),
        table=results("analysis/{model}/directions.tsv"),
    log:
        results("logs/decode_directions/{model}.log"),
    conda:
        "../../envs/torch.yaml"
    threads: 2
    resources:
        mem_mb=growing(12000),
        runtime=growing(60),
    params:
        tasks=config["tasks"],
        settings=DIRECTIONS,
        decoding=DECODING,
        space=config["space"],
        seed=config["seed"],
        folder_name="analysis/{model}/directions",
        code=code_of("decode_directions"),
    script:
        "../scripts/decode_directions.py"


rule compare_models:
    """Put all models into one table, and mark the best where that is sure."""
    input:
        images=expand(results("autoencoder/{model}/reconstruction.tsv"), model=MODELS),
        volumes=expand(results("autoencoder/{model}/volume_error.tsv"), model=MODELS),
        mean_image=mean_image_table,
        mean_image_volumes=mean_image_errors,
        separation=expand(results("analysis/{model}/separation.tsv"), model=MODELS),
        tasks=expand(
            results("analysis/{model}/tasks/{task}/predictions.tsv"),
            model=MODELS,
            task=TASKS,
        ),
        forecasts=expand(results("aging/{model}/errors.tsv"), model=MODELS),
    output:
        table=results("analysis/models.tsv"),
    log:
        results("logs/compare_models.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        models=MODELS,
        tasks=config["tasks"],
        seed=config["seed"],
        code=code_of("compare_models"),
    script:
        "../scripts/compare_models.py"


rule compare_regions:
    """Measure the error of the reconstructions of a block of people in each region."""
    input:
        brains=brains_of_block,
        masks=masks_of_block,
        labels=labels_of_block,
        folder=results("latents/{model}/reconstructions/{dataset}/{block}"),
    output:
        table=results("analysis/{model}/blocks/{dataset}_{block}.tsv"),
    log:
        results("logs/compare_regions/{model}/{dataset}_{block}.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        scans=selection_of_block,
        code=code_of("compare_regions"),
    script:
        "../scripts/compare_regions.py"


rule find_anomalies:
    """Hold the regional errors of every scan against those of training and validation people."""
    input:
        tables=regional_error_tables,
        index=results("latents/{model}/index.tsv"),
    output:
        anomaly=results("analysis/{model}/anomaly.tsv"),
    log:
        results("logs/find_anomalies/{model}.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(20),
    params:
        code=code_of("find_anomalies"),
    script:
        "../scripts/find_anomalies.py"


rule average_errors:
    """Average the errors of reconstructions over the people that others are held against."""
    input:
        brains=reference_brains,
        masks=reference_masks,
        folders=reference_folders,
    output:
        norm=directory(results("analysis/{model}/error_norm")),
    log:
        results("logs/average_errors/{model}.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        decoded=reference_reconstructions,
        space=config["space"],
        code=code_of("average_errors"),
    script:
        "../scripts/average_errors.py"


rule map_errors:
    """Map where the reconstructions of a block of people are worse than those of others."""
    input:
        norm=results("analysis/{model}/error_norm"),
        brains=mapped_brains,
        masks=mapped_masks,
        folder=results("latents/{model}/reconstructions/{dataset}/{block}"),
    output:
        folder=directory(results("analysis/{model}/error_maps/{dataset}/{block}")),
        table=results("analysis/{model}/map_blocks/{dataset}_{block}.tsv"),
    log:
        results("logs/map_errors/{model}/{dataset}_{block}.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(3000),
        runtime=growing(60),
    params:
        scans=mapped_selection,
        norm_split=norm_split,
        space=config["space"],
        folder_name="analysis/{model}/error_maps/{dataset}/{block}",
        code=code_of("map_errors"),
    script:
        "../scripts/map_errors.py"


rule gather_error_maps:
    """Put what the maps of all blocks hold under each other."""
    input:
        tables=error_map_tables,
    output:
        table=results("analysis/{model}/error_maps.tsv"),
    log:
        results("logs/gather_error_maps/{model}.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        code=code_of("gather_error_maps"),
    script:
        "../scripts/gather_error_maps.py"
