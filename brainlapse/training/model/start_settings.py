"""Weights that a training run starts from: those that come along, or another model's."""

import hashlib
from pathlib import Path
from typing import Any

from brainlapse.damage import DamagedFile
from brainlapse.runtime import read_json

PRETRAINED = Path(__file__).parents[2] / "networks" / "weights" / "autoencoder"
"""The autoencoder that comes along, pretrained on synthetic brains; autoencoder.md is its card."""

WEIGHTS_NAME, CARD_NAME = "model.safetensors", "config.json"


def start_folder(start: str) -> Path:
    """Folder of the model that `start` names: `pretrained`, or a path."""
    return PRETRAINED if start == "pretrained" else Path(start)


def start_digest(start: str | None) -> str | None:
    """SHA-256 of the weights that a run starts from, or None for fresh ones."""
    if start is None:
        return None
    return hashlib.sha256((start_folder(start) / WEIGHTS_NAME).read_bytes()).hexdigest()


def check_start(start: str, network: dict[str, Any]) -> None:
    """Refuse weights that are missing or belong to another network.

    Parameters
    ----------
    network
        Settings of the network that is to be trained, every default filled in.

    Raises
    ------
    ValueError
        Names the file that is missing, or the settings that differ.
    """
    folder = start_folder(start)
    for name in (WEIGHTS_NAME, CARD_NAME):
        if not (folder / name).is_file():
            message = (
                f"expected {name} in the folder {folder}, found none; name `pretrained`, a model "
                "of another run (results/autoencoder/<model>) or the folder of a bundle"
            )
            raise ValueError(message)
    try:
        theirs = read_json(folder / CARD_NAME)["settings"]["network"]
    except (DamagedFile, KeyError, TypeError) as error:
        message = f"expected the card of an autoencoder in {folder}, found {error}"
        raise ValueError(message) from None
    differing = sorted(key for key in network if network[key] != theirs.get(key, network[key]))
    if differing:
        parts = "; ".join(f"{key}: {theirs[key]}, not {network[key]}" for key in differing)
        message = (
            f"{folder} holds another network ({parts}); give network the same settings, or "
            "leave start out"
        )
        raise ValueError(message)
