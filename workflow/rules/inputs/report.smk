"""Captions, and what the viewer shows."""

from brainlapse.figures.captions import read_captions

CAPTIONS = read_captions(Path(workflow.basedir, "workflow", "report"))
VIEWED = config["report"]["viewer"]["model"] or MODELS[0]


def viewed_folders(wildcards):
    """Folders of the reconstructions that the viewer shows."""
    return folders_of(VIEWED)


def viewed_forecasts(wildcards):
    """Folders of the forecasts that the viewer shows."""
    return predicted_folders_of(VIEWED)
