"""The images that are pictured."""

from brainlapse.figures.scans.order import pictured


def pictured_images(wildcards):
    """Images behind the quality pictures: heads and brains, each with its mask."""
    quality = with_paths(
        runtime.read_table(quality_stamp()[0], ["dataset", "scan", "status"])
    )
    records = pictured(rows(quality), config["report"]["max_qc_pictures"])
    suffixes = (
        "_desc-n4_T1w.nii.gz",
        "_space-T1w_desc-brain_mask.nii.gz",
        BRAIN,
        BRAIN_MASK,
    )
    return [
        results(f"preprocess/{record['scan_path']}{suffix}")
        for record in records
        if record["status"] != "rejected"
        for suffix in suffixes
    ]
