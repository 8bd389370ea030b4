"""Where one network stands on two sides: as what is trained on, and as what judges.

The embedded segmenter measures volumes, gives the perceptual features of a loss, can select
weights, and drew the regions of the simulated cohort. A result in which two of these meet tells
how well the network agrees with itself, which is less than being right.
"""

from typing import Any


def shared_judges(config: dict[str, Any]) -> list[str]:
    """Return a sentence for each place where the shipped segmenter judges its own work.

    Parameters
    ----------
    config
        The whole configuration, filled in.
    """
    segmentation = config["segmentation"]
    if segmentation["backend"] != "embedded" or segmentation["weights"]:
        return []
    models = {
        name: one
        for name, one in config["autoencoders"].items()
        if not one["bundle"] and one["network"]["family"] != "pca"
    }
    taught = [name for name, one in models.items() if _perceives(one["loss"]["perceptual"])]
    chosen = [name for name, one in models.items() if one["training"]["selection"] == "volumes"]
    drawn = [name for name, one in config["datasets"].items() if one["simulate"]]
    found = []
    if taught:
        found.append(
            f"{_names(taught)} learned from the features of the embedded segmenter, which also "
            "measures the volumes here: compare with `loss.perceptual.network: none`, or measure "
            "with SynthSeg."
        )
    if chosen:
        found.append(
            f"The weights of {_names(chosen)} were selected by volumes that the embedded segmenter "
            "measured, and it measures the volumes here: measure with SynthSeg before comparing."
        )
    if drawn:
        found.append(
            f"The true regions of {_names(drawn)} are those that the embedded segmenter finds in "
            "the template: that measured and planted volumes agree says nothing of real anatomy."
        )
    return found


def _perceives(perceptual: dict[str, Any]) -> bool:
    return bool(perceptual["network"] == "segmenter" and perceptual["weight"] > 0)


def _names(names: list[str]) -> str:
    return ", ".join(names)
