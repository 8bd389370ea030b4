"""From a raw head to a brain in MNI space, scan by scan.

Inputs: the raw scans that cohort/scans.tsv lists.
Outputs, per scan under preprocess/<dataset>/...: brain mask, bias-corrected head, a transform
per level, stripped and normalised brain on the MNI grid, quality record; for the cohort
preprocess/qc.tsv, visits.tsv, doubles.tsv, rejected.tsv and preprocess/contract.json. A person's decisions
in qc_review.tsv are an input, never an output.

sample_template      the template on the grids in use, once
mask_brain           find the brain
correct_bias         N4 inside the mask
register_brain       the levels of the registration, each starting from the one before
place_brain          one interpolation from the raw grid to the MNI grid, stripped, one scale for all
measure_quality      numbers that say how well the scan went through
take_brain           in place of these, a brain that is in MNI space already
collect_quality      judge the scans, tables of the cohort, the contract that its images keep
"""


include: "inputs/preprocess.smk"


rule sample_template:
    """Sample the template on the grids of registration and of all results."""
    output:
        target=results("template/registration_T1w.nii.gz"),
        t1=results("template/space-MNI_T1w.nii.gz"),
        grey=results("template/space-MNI_label-GM_probseg.nii.gz"),
        white=results("template/space-MNI_label-WM_probseg.nii.gz"),
        brain_mask=results("template/space-MNI_desc-brain_mask.nii.gz"),
    log:
        results("logs/sample_template.log"),
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=growing(1500),
        runtime=growing(5),
    params:
        space=config["space"],
        voxel_mm=config["preprocess"]["registration"]["voxel_mm"],
        code=code_of("sample_template"),
    script:
        "../scripts/sample_template.py"


rule mask_brain:
    """Find the brain in one raw scan."""
    input:
        cohort=cohort_built,
        target=results("template/registration_T1w.nii.gz"),
    output:
        mask=results("preprocess/{scan_path}_space-T1w_desc-brain_mask.nii.gz"),
        record=results("preprocess/{scan_path}_space-T1w_desc-brain_mask.json"),
    log:
        results("logs/mask_brain/{scan_path}.log"),
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=growing(2500),
        runtime=growing(10),
        places=1,
    params:
        settings=config["preprocess"]["mask"],
        scan=raw_scan,
        path=raw_path,
        code=code_of("mask_brain"),
    script:
        "../scripts/mask_brain.py"


rule correct_bias:
    """Remove the bias field from one raw scan."""
    input:
        cohort=cohort_built,
        mask=results("preprocess/{scan_path}_space-T1w_desc-brain_mask.nii.gz"),
    output:
        corrected=results("preprocess/{scan_path}_desc-n4_T1w.nii.gz"),
    log:
        results("logs/correct_bias/{scan_path}.log"),
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=growing(2500),
        runtime=growing(10),
        places=1,
    params:
        settings=config["preprocess"]["bias"],
        scan=raw_scan,
        path=raw_path,
        code=code_of("correct_bias"),
    script:
        "../scripts/correct_bias.py"


rule register_brain:
    """Register one brain to the template, level by level."""
    input:
        corrected=results("preprocess/{scan_path}_desc-n4_T1w.nii.gz"),
        mask=results("preprocess/{scan_path}_space-T1w_desc-brain_mask.nii.gz"),
        target=results("template/registration_T1w.nii.gz"),
    output:
        transforms=[
            results(f"preprocess/{{scan_path}}_from-T1w_to-MNI_level-{level}_xfm.mat")
            for level in LEVEL_NAMES
        ],
    log:
        results("logs/register_brain/{scan_path}.log"),
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=growing(2500),
        runtime=growing(15),
        places=1,
    params:
        settings=config["preprocess"]["registration"],
        code=code_of("register_brain"),
    script:
        "../scripts/register_brain.py"


rule place_brain:
    """Bring one brain to the MNI grid in one interpolation, on the common scale."""
    input:
        corrected=results("preprocess/{scan_path}_desc-n4_T1w.nii.gz"),
        mask=results("preprocess/{scan_path}_space-T1w_desc-brain_mask.nii.gz"),
        transform=final_transform,
        shared_mask=shared("_space-MNI_desc-shared_mask.nii.gz"),
        field=shared("_space-MNI_desc-difference_field.nii.gz"),
        visit=shared("_visit.json"),
        white=results("template/space-MNI_label-WM_probseg.nii.gz"),
    output:
        brain=results("preprocess/{scan_path}_space-MNI_desc-brain_T1w.nii.gz"),
        mask=results("preprocess/{scan_path}_space-MNI_desc-brain_mask.nii.gz"),
        scale=results("preprocess/{scan_path}_space-MNI_desc-brain_T1w.json"),
    log:
        results("logs/place_brain/{scan_path}.log"),
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=growing(2500),
        runtime=growing(10),
        places=1,
    params:
        resampling=config["preprocess"]["resampling"],
        intensity=config["preprocess"]["intensity"],
        space=config["space"],
        code=code_of("place_brain"),
    script:
        "../scripts/place_brain.py"


rule measure_quality:
    """Measure how well one scan went through."""
    input:
        cohort=cohort_built,
        native_mask=results("preprocess/{scan_path}_space-T1w_desc-brain_mask.nii.gz"),
        mask_record=results("preprocess/{scan_path}_space-T1w_desc-brain_mask.json"),
        corrected=results("preprocess/{scan_path}_desc-n4_T1w.nii.gz"),
        transform=final_transform,
        visit=shared("_visit.json"),
        brain=results("preprocess/{scan_path}_space-MNI_desc-brain_T1w.nii.gz"),
        mask=results("preprocess/{scan_path}_space-MNI_desc-brain_mask.nii.gz"),
        t1=results("template/space-MNI_T1w.nii.gz"),
        grey=results("template/space-MNI_label-GM_probseg.nii.gz"),
        white=results("template/space-MNI_label-WM_probseg.nii.gz"),
        brain_mask=results("template/space-MNI_desc-brain_mask.nii.gz"),
    output:
        quality=results("preprocess/{scan_path}_qc.json"),
    log:
        results("logs/measure_quality/{scan_path}.log"),
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=growing(2500),
        runtime=growing(5),
        places=1,
    params:
        scan=raw_scan,
        path=raw_path,
        code=code_of("measure_quality"),
    script:
        "../scripts/measure_quality.py"


rule take_brain:
    """Take in one brain that is in MNI space already (datasets.<name>.preprocessed)."""
    input:
        cohort=cohort_built,
        t1=results("template/space-MNI_T1w.nii.gz"),
        grey=results("template/space-MNI_label-GM_probseg.nii.gz"),
        white=results("template/space-MNI_label-WM_probseg.nii.gz"),
        brain_mask=results("template/space-MNI_desc-brain_mask.nii.gz"),
    output:
        native_mask=results("preprocess/{scan_path}_space-T1w_desc-brain_mask.nii.gz"),
        corrected=results("preprocess/{scan_path}_desc-n4_T1w.nii.gz"),
        transforms=[
            results(f"preprocess/{{scan_path}}_from-T1w_to-MNI_level-{level}_xfm.mat")
            for level in LEVEL_NAMES
        ],
        brain=results("preprocess/{scan_path}_space-MNI_desc-brain_T1w.nii.gz"),
        mask=results("preprocess/{scan_path}_space-MNI_desc-brain_mask.nii.gz"),
        scale=results("preprocess/{scan_path}_space-MNI_desc-brain_T1w.json"),
        quality=results("preprocess/{scan_path}_qc.json"),
    log:
        results("logs/take_brain/{scan_path}.log"),
    wildcard_constraints:
        scan_path=TAKEN_PATHS,
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=growing(2500),
        runtime=growing(10),
        places=1,
    params:
        resampling=config["preprocess"]["resampling"],
        intensity=config["preprocess"]["intensity"],
        space=config["space"],
        scan=raw_scan,
        path=raw_path,
        code=code_of("take_brain"),
    script:
        "../scripts/take_brain.py"


ruleorder: take_brain > mask_brain
ruleorder: take_brain > correct_bias
ruleorder: take_brain > register_brain
ruleorder: take_brain > place_brain
ruleorder: take_brain > measure_quality


checkpoint collect_quality:
    """Judge all scans, list the rejected ones, state the contract."""
    input:
        scans=ancient(results("cohort/scans.tsv")),  # its content decides, a parameter
        quality=quality_files,
        review=review_file,
    output:
        table=results("preprocess/qc.tsv"),
        visits=results("preprocess/visits.tsv"),
        doubles=results("preprocess/doubles.tsv"),
        rejected=results("preprocess/rejected.tsv"),
        contract=results("preprocess/contract.json"),
    log:
        results("logs/collect_quality.log"),
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        settings=config["preprocess"],
        space=config["space"],
        cohort=cohort_content,
        code=code_of("collect_quality"),
    script:
        "../scripts/collect_quality.py"
