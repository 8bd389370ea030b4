"""Label maps to train on."""

from snakemake.exceptions import WorkflowError

from brainlapse.segmenter.label_maps import find_label_maps


def label_maps(wildcards):
    """The label maps that the segmenter is trained on."""
    if not config["segmenter"]:
        message = (
            "train_segmenter needs label maps: snakemake train_segmenter --configfile "
            "configs/segmenter.yaml, with segmenter.label_maps naming a folder"
        )
        raise WorkflowError(message)
    return [str(path) for path in find_label_maps(config["segmenter"]["label_maps"])]
