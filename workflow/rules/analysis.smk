"""What the latent space holds.

in:  latents/{model}/latents.npz, latents/{model}/index.tsv, cohort/scans.tsv, preprocess/qc.tsv,
     volumes/real/
out: cohort/site_audit.tsv, analysis/{model}/pca.tsv, analysis/{model}/umap.tsv,
     analysis/{model}/separation.tsv, analysis/{model}/tasks/{task}/metrics.tsv,
     analysis/{model}/heads.tsv, walks/, directions/, analysis/models.tsv

audit_sites        what data set, site and scanner can't be told from
reduce_latents     principal components of the training scans, every scan projected
embed_latents      every scan on a map of neighbours, an option
separate_groups    how far groups of people stand apart in them
evaluate_task      one prediction task, cross-validated over subjects, beside its baselines
evaluate_heads     heads trained with an autoencoder, and on its frozen latents, on people held out
decode_directions  brains along the principal components, maps of what each task looks at
compare_models     one table of all models, on the same people
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
