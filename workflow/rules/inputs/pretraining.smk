"""Settings of pretraining."""

from snakemake.exceptions import WorkflowError


def pretraining_settings(wildcards):
    """Settings of pretraining."""
    if not config["pretraining"]:
        message = (
            "pretrain_autoencoder needs settings: snakemake pretrain_autoencoder --configfile "
            "configs/pretraining.yaml, with segmenter.label_maps naming a folder"
        )
        raise WorkflowError(message)
    return config["pretraining"]
