"""A trained autoencoder on disk: weights, and the settings and contract they belong to."""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from brainlapse.damage import DamagedFile, reading
from brainlapse.networks.autoencoders import build_autoencoder, log_size
from brainlapse.networks.interface import Autoencoder, without_heads
from brainlapse.networks.settings import NetworkSettings
from brainlapse.runtime import atomic_path, read_json, write_json
from brainlapse.training.model.start_settings import CARD_NAME, WEIGHTS_NAME

FORMAT = 1
PARTS = ("settings", "grid", "contract")
NOT_BINDING = ("versions",)  # of the tools: recorded in the contract, no reason to refuse scans


class ContractMismatch(Exception):
    """Scans were not preprocessed like those the model was trained on."""


def save_weights(path: str | Path, weights: dict[str, torch.Tensor]) -> None:
    """Write weights as safetensors, whole or not at all."""
    with atomic_path(path) as temporary:
        save_file({name: tensor.contiguous() for name, tensor in weights.items()}, temporary)


def save_card(path: str | Path, card: dict[str, Any]) -> None:
    """Write what the weights belong to; needs the keys `settings`, `grid` and `contract`."""
    write_json(path, {"format": FORMAT, **card})


def read_card(folder: str | Path) -> dict[str, Any]:
    """Read a model's config.json: settings, grid, contract, seed, selection, versions."""
    path = Path(folder) / CARD_NAME
    card = read_json(path)
    if card.get("format") != FORMAT or not set(PARTS) <= set(card):
        found = f"{card.get('format')} and {sorted(card)}"
        raise DamagedFile(path, f"expected format {FORMAT} and {', '.join(PARTS)}, found {found}")
    return card


def load_model(folder: str | Path) -> Autoencoder:
    """Build a trained autoencoder, ready for encoding and decoding, on the CPU.

    Parameters
    ----------
    folder
        Holds `model.safetensors` and `config.json`.

    Raises
    ------
    DamagedFile
        If card or weights are cut, or don't fit each other.
    """
    card = read_card(folder)
    path = Path(folder) / WEIGHTS_NAME
    with reading(path):
        weights = load_file(path)
        return build_trained(card, weights, path)


def network_of(card: dict[str, Any]) -> NetworkSettings:
    """Return the settings of a trained network; `pca` has what its scans gave."""
    settings = NetworkSettings.model_validate(card["settings"]["network"])
    if settings.family == "pca":
        return settings.model_copy(update={"latent_size": card["latent_shape"][0]})
    return settings


def build_trained(
    card: dict[str, Any], weights: dict[str, torch.Tensor], source: str | Path
) -> Autoencoder:
    """Build a frozen autoencoder from its card and weights; errors name the weights' source.

    Heads that were trained with it are left out.

    Raises
    ------
    ValueError
        If the weights don't fit the card.
    """
    network = network_of(card)
    model = build_autoencoder(network, tuple(card["grid"]["shape"]))
    try:
        model.load_state_dict(without_heads(weights))
    except RuntimeError as error:
        message = f"{source}: weights that don't fit {CARD_NAME}; train the model again ({error})"
        raise ValueError(message) from error
    log_size(network.family, model)
    return model.eval().requires_grad_(False)


def check_contract(card: dict[str, Any], contract: dict[str, Any], folder: str | Path) -> None:
    """Refuse scans that were preprocessed differently from those of the model.

    Parameters
    ----------
    card
        The model's config.json.
    contract
        contract.json of the scans.

    Raises
    ------
    ContractMismatch
        Names the parts that differ, on both sides.
    """
    expected = binding_parts(card["contract"])
    found = binding_parts(contract)
    differing = sorted(key for key in {*expected, *found} if expected.get(key) != found.get(key))
    if not differing:
        return
    parts = "; ".join(
        f"{key}: expected {expected.get(key)}, found {found.get(key)}" for key in differing
    )
    message = (
        f"{folder}: these scans were not preprocessed like the model's training scans ({parts}); "
        "preprocess them with the model's settings or train the model again"
    )
    raise ContractMismatch(message)


def binding_parts(contract: dict[str, Any]) -> dict[str, Any]:
    """Return what scans and model must have in common.

    Neither versions of tools count, nor where SynthStrip is installed.
    """
    parts = {key: value for key, value in contract.items() if key not in NOT_BINDING}
    mask = parts.get("mask")
    if isinstance(mask, dict):
        parts["mask"] = {key: value for key, value in mask.items() if key != "synthstrip"}
    return parts
