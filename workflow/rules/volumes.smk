"""Regional volumes of real and decoded scans.

in:  preprocessed brains, preprocess/qc.tsv, latents/{model}/reconstructions,
     aging/{model}/predicted, aging/{model}/interpolated and their tables
out: a table per subject or block of people and kind, volumes/volumes.tsv, volumes/rates.tsv, volumes/group_rates.tsv,
     volumes/site_steps.tsv, volumes/noise_floor.tsv,
     autoencoder/{model}/volume_error.tsv, baselines/mean_image_volume_error.tsv

segment_real          the real scans of one subject: volumes and label maps
segment_aligned       the visits of one person at 1 mm, aligned: the volumes that rates come from
segment_decoded       what one autoencoder decoded of a block of people: volumes
collect_volumes       all volumes in one table, in MNI space and native
measure_rates         yearly change of each region of each person, and of groups
measure_site_steps    by how much data set, site or scanner shifts volumes
repeat_scan           one scan turned, processed and segmented again
measure_noise_floor   how far volumes differ when nothing changed, by region
measure_volume_error  volumes of reconstructions against those of the scans
segment_mean_image    the same for the mean training image, the baseline of all models
"""


include: "inputs/volumes.smk"


rule segment_real:
    """Segment the real scans of one subject."""
    input:
        brains=subject_brains,
        weights=segmenter_weights,
    output:
        volumes=results("volumes/real/{dataset}/{subject}_volumes.tsv"),
        labels=directory(results("volumes/real/{dataset}/{subject}_labels")),
    log:
        results("logs/segment_real/{dataset}/{subject}.log"),
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=growing(SEGMENTATION_MEM_MB),
        runtime=growing(60),
        gpu=SEGMENTATION_GPU,
        places=SEGMENTATION_PLACES,
    params:
        settings=SEGMENTATION,
        code=code_of("segment_real"),
    script:
        "../scripts/segment_real.py"


rule segment_aligned:
    """Segment the visits of one person at 1 mm in the space that they share."""
    input:
        files=aligned_files,
        weights=segmenter_weights,
    output:
        volumes=results("volumes/aligned/{dataset}/{subject}_volumes.tsv"),
    log:
        results("logs/segment_aligned/{dataset}/{subject}.log"),
    group:
        "segment"
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=growing(SEGMENTATION_MEM_MB),
        runtime=growing(60),
        gpu=SEGMENTATION_GPU,
        places=SEGMENTATION_PLACES,
    params:
        visits=aligned_visits,
        settings=SEGMENTATION,
        resampling=config["preprocess"]["resampling"],
        intensity=config["preprocess"]["intensity"],
        code=code_of("segment_aligned"),
    script:
        "../scripts/segment_aligned.py"


rule segment_decoded:
    """Segment what one autoencoder decoded of a block of people."""
    input:
        known=usable_known,
        folder=decoded_folder,
        weights=segmenter_weights,
    output:
        volumes=results("volumes/{model}/{kind}/{dataset}_{block}_volumes.tsv"),
    log:
        results("logs/segment_decoded/{model}/{kind}/{dataset}_{block}.log"),
    conda:
        "../../envs/torch.yaml"
    threads: 2  # the last to wait for where few people are forecast
    resources:
        mem_mb=growing(SEGMENTATION_MEM_MB),
        runtime=decoded_minutes,
        gpu=SEGMENTATION_GPU,
    params:
        settings=SEGMENTATION,
        images=decoded_images,
        code=code_of("segment_decoded"),
    script:
        "../scripts/segment_decoded.py"


rule collect_volumes:
    """Gather the regional volumes of the whole run in one table."""
    input:
        tables=volume_tables,
        scans=results("cohort/scans.tsv"),
        quality=results("preprocess/qc.tsv"),
        predictions=expand(results("aging/{model}/predictions.tsv"), model=MODELS),
        interpolations=expand(results("aging/{model}/interpolations.tsv"), model=MODELS),
    output:
        volumes=results("volumes/volumes.tsv"),
    log:
        results("logs/collect_volumes.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(20),
    params:
        models=MODELS,
        held_out_only=HELD_OUT_ONLY,
        code=code_of("collect_volumes"),
    script:
        "../scripts/collect_volumes.py"


rule measure_rates:
    """Fit each person's yearly change of each region; compare groups."""
    input:
        volumes=results("volumes/volumes.tsv"),
        scans=results("cohort/scans.tsv"),
        quality=results("preprocess/qc.tsv"),
    output:
        rates=results("volumes/rates.tsv"),
        groups=results("volumes/group_rates.tsv"),
    log:
        results("logs/measure_rates.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        code=code_of("measure_rates"),
    script:
        "../scripts/measure_rates.py"


rule measure_site_steps:
    """Estimate by how much data set, site or scanner shifts regional volumes."""
    input:
        volumes=results("volumes/volumes.tsv"),
        scans=results("cohort/scans.tsv"),
        quality=results("preprocess/qc.tsv"),
    output:
        steps=results("volumes/site_steps.tsv"),
    log:
        results("logs/measure_site_steps.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        code=code_of("measure_site_steps"),
    script:
        "../scripts/measure_site_steps.py"


rule repeat_scan:
    """Turn one raw scan, process and segment it again."""
    input:
        files=repeated_files,
        target=results("template/registration_T1w.nii.gz"),
        weights=segmenter_weights,
    output:
        repeats=results("volumes/repeats/{scan_path}_repeated.tsv"),
    log:
        results("logs/repeat_scan/{scan_path}.log"),
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=growing(max(3000, SEGMENTATION_MEM_MB)),
        runtime=growing(60),
        gpu=SEGMENTATION_GPU,
    params:
        visit=repeated_visit,
        dataset=repeated_dataset,
        scan=raw_scan,
        path=raw_path,
        preprocess=CHAIN_SETTINGS,
        segmentation=SEGMENTATION,
        space=config["space"],
        code=code_of("repeat_scan"),
    script:
        "../scripts/repeat_scan.py"


rule measure_noise_floor:
    """Gather how far volumes differ when nothing changed."""
    input:
        repeats=repeated_tables,
    output:
        floor=results("volumes/noise_floor.tsv"),
    log:
        results("logs/measure_noise_floor.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=code_of("measure_noise_floor"),
    script:
        "../scripts/measure_noise_floor.py"


rule measure_volume_error:
    """Compare regional volumes of reconstructions with those of the scans."""
    input:
        volumes=results("volumes/volumes.tsv"),
        index=results("latents/{model}/index.tsv"),
    output:
        errors=results("autoencoder/{model}/volume_error.tsv"),
    log:
        results("logs/measure_volume_error/{model}.log"),
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(10),
    params:
        code=code_of("measure_volume_error"),
    script:
        "../scripts/measure_volume_error.py"


rule segment_mean_image:
    """Segment the mean training image, compare its volumes with those of the scans.

    As a job of its own, it can ask checkpoints only for what its inputs name.
    """
    input:
        image=results("baselines/mean_image.nii.gz"),
        volumes=results("volumes/volumes.tsv"),
        scans=results("cohort/scans.tsv"),
        quality=results("preprocess/qc.tsv"),
        weights=segmenter_weights,
    output:
        errors=results("baselines/mean_image_volume_error.tsv"),
    log:
        results("logs/segment_mean_image.log"),
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=growing(SEGMENTATION_MEM_MB),
        runtime=growing(60),
        gpu=SEGMENTATION_GPU,
    params:
        settings=SEGMENTATION,
        scans=usable_selection,
        code=code_of("segment_mean_image"),
    script:
        "../scripts/segment_mean_image.py"
