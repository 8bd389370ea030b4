"""Visits of one person brought together, in order of time.

in:  a later visit, bias-corrected; the visits of the same person before it, preprocessed
out: preprocess/<dataset>/.../<scan>_from-T1w_to-MNI_level-person_xfm.mat, _visit.json, and what
     it shares with the visit that it joined

align_visit  align a later visit to the first; its transform, mask and intensity scale
"""


include: "inputs/longitudinal.smk"


rule align_visit:
    """Align a later visit of a person to an earlier one, or register it on its own."""
    input:
        corrected=results("preprocess/{scan_path}_desc-n4_T1w.nii.gz"),
        mask=results("preprocess/{scan_path}_space-T1w_desc-brain_mask.nii.gz"),
        earlier=earlier_files,
        target=results("template/registration_T1w.nii.gz"),
    output:
        transform=results(f"preprocess/{{scan_path}}{PERSON_TRANSFORM}"),
        mask=results("preprocess/{scan_path}_space-MNI_desc-shared_mask.nii.gz"),
        field=results("preprocess/{scan_path}_space-MNI_desc-difference_field.nii.gz"),
        record=results("preprocess/{scan_path}_visit.json"),
    log:
        results("logs/align_visit/{scan_path}.log"),
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=growing(2500),
        runtime=growing(10),
        places=1,
    params:
        earlier=earlier_visits_of,
        settings=config["preprocess"]["longitudinal"],
        registration=config["preprocess"]["registration"],
        resampling=config["preprocess"]["resampling"],
        quality=REJECTION_LIMITS,
        space=config["space"],
        code=code_of("align_visit"),
    script:
        "../scripts/align_visit.py"
