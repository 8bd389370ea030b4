"""Who differs from others: in volumes, in their change, in what an autoencoder gives back.

in:  volumes/volumes.tsv, volumes/rates.tsv, analysis/{model}/pca.tsv, volumes/real/,
     latents/{model}/index.tsv, latents/{model}/reconstructions/
out: analysis/norms.tsv, norm_scores.tsv, rate_norms.tsv, rate_norm_scores.tsv,
     analysis/{model}/anomaly.tsv, error_maps.tsv, error_maps/

fit_norms          regional volumes of controls over age, and where each scan stands
fit_rate_norms     the same of yearly change, in volumes and in latents
compare_regions    error of the reconstructions of a block of people in each region
find_anomalies     regional errors of each scan against those of training and validation people
average_errors     the errors, voxel by voxel, of the people that others are held against
map_errors         voxels in which scans of a block are given back worse than theirs, an option
gather_error_maps  what the maps of all blocks hold
"""


include: "inputs/norms.smk"


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
