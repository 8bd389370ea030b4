"""Captions, and the images that are pictured."""

from brainlapse.cohort.tables import scan_path
from brainlapse.figures.captions import read_captions
from brainlapse.figures.scans.order import pictured

CAPTIONS = read_captions(Path(workflow.basedir, "workflow", "report"))
VIEWED = config["report"]["viewer"]["model"] or MODELS[0]


def viewed_folders(wildcards):
    """Folders of the reconstructions that the viewer shows."""
    return folders_of(VIEWED)


def pictured_images(wildcards):
    """Images behind the quality pictures: heads and brains, each with its mask."""
    quality = with_paths(runtime.read_table(quality_stamp()[0]))
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
