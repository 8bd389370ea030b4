"""Reading a bundle: checked files, weights that fit, an example that comes out again."""

import hashlib
import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import yaml
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from brainlapse.aging.rates import RATES_NAME, Rates, check_elements, unpack_rates
from brainlapse.analysis.pca import COMPONENTS_NAME, Components, unpack_components
from brainlapse.bundle.card import contract_settings
from brainlapse.bundle.files import (
    MANIFEST,
    BundleError,
    Contents,
    broken,
    parse_json,
    read_files,
)
from brainlapse.damage import is_machine_fault
from brainlapse.networks.interface import Autoencoder
from brainlapse.networks.settings import NetworkSettings
from brainlapse.space import SpaceSettings
from brainlapse.training.encoding.passes import encode_volumes
from brainlapse.training.model.trained import FORMAT, build_trained, network_of
from brainlapse.training.settings import EncodingSettings

TOLERANCE = 0.01
"""Largest difference of an example's latent, as part of the latent's standard deviation."""


@dataclass(frozen=True)
class Bundle:
    """A trained autoencoder that someone handed on.

    Attributes
    ----------
    name
        File or folder name.
    sha256
        Of the manifest, which stands for all files.
    weights
        As in `model.safetensors`.
    card
        As in `config.json`: settings, grid, contract, seed, versions, trained_on.
    contract
        What scans must be like; the card's own.
    history
        Loss curves of the training.
    components
        Principal components of the training scans' latents.
    rates
        Of ageing, of the training people; empty where they told none.
    volume, mean, log_variance
        The example: (D, H, W) float32 in MNI space, and its latent (C, d, h, w).
    """

    name: str
    sha256: str
    weights: dict[str, Tensor]
    card: dict[str, Any]
    contract: dict[str, Any]
    history: pd.DataFrame
    components: Components
    rates: Rates
    volume: np.ndarray
    mean: np.ndarray
    log_variance: np.ndarray

    def network(self) -> NetworkSettings:
        """Return the settings of the network."""
        return network_of(self.card)

    def build(self) -> Autoencoder:
        """Build the autoencoder with its weights, frozen, on the CPU."""
        return build_trained(self.card, self.weights, self.name)


def read_bundle(path: str | Path) -> Bundle:
    """Read a bundle from a folder or zip file and check that its parts fit together.

    Raises
    ------
    BundleError
        In one sentence: what is missing, changed, too large, or doesn't fit.
    """
    contents = read_files(path)
    card = _read_card(path, contents)
    contract = parse_json(path, "contract.json", contents["contract.json"])
    if contract != card["contract"]:
        message = f"{path}: contract.json differs from the contract in config.json; export it again"
        raise BundleError(message)
    _check_settings(path, contents["config.yaml"], contract)
    example = _tensors(path, "example.safetensors", contents)
    bundle = Bundle(
        name=Path(path).name,
        sha256=hashlib.sha256(contents[MANIFEST]).hexdigest(),
        weights=_tensors(path, "model.safetensors", contents),
        card=card,
        contract=contract,
        history=_read_history(path, contents["history.tsv"]),
        components=_read_components(path, contents[COMPONENTS_NAME]),
        rates=_read_rates(path, contents[RATES_NAME], card),
        **{name: _example_part(path, example, name) for name in ("volume", "mean", "log_variance")},
    )
    _check_fit(path, bundle)
    return bundle


def check_example(bundle: Bundle, device: torch.device) -> float:
    """Encode the example; return the largest difference as part of the latent's deviation.

    Raises
    ------
    BundleError
        If the latent that comes out isn't the bundle's.
    """
    latents = encode_volumes(
        bundle.build(), [bundle.volume], EncodingSettings(batch_size=1), device
    )
    ((mean, log_variance),) = latents
    scale = float(bundle.mean.std()) or 1.0
    difference = float(np.abs(mean - bundle.mean).max()) / scale
    spread = float(np.abs(log_variance - bundle.log_variance).max())
    if not (difference <= TOLERANCE and spread <= 10 * TOLERANCE):
        message = (
            f"{bundle.name}: expected the example's latent within {TOLERANCE:.0%} of its standard "
            f"deviation, found a difference of {difference:.1%} (log-variance: {spread:.2g}); this "
            "version of brainlapse or torch computes another network than the one exported"
        )
        raise BundleError(message)
    return difference


def _read_card(path: str | Path, contents: Contents) -> dict[str, Any]:
    card = parse_json(path, "config.json", contents["config.json"])
    try:
        if card.get("format") != FORMAT:
            message = f"format {card.get('format')!r} instead of {FORMAT}"
            raise ValueError(message)
        NetworkSettings.model_validate(card["settings"]["network"])
        grid = card["grid"]
        SpaceSettings(voxel_mm=grid["voxel_mm"], shape=tuple(grid["shape"]))
        if not isinstance(card["contract"], dict):
            message = "a contract that is no mapping"
            raise ValueError(message)
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        detail = " ".join(str(error).split())
        message = f"{path}: config.json: expected the card of an autoencoder, found {detail}"
        raise BundleError(message) from None
    return card


def _check_settings(path: str | Path, content: bytes, contract: dict[str, Any]) -> None:
    """Refuse settings that aren't exactly the contract's: Snakemake may be given the file."""
    try:
        found = yaml.safe_load(content)
        models = found.pop("autoencoders")
        expected = contract_settings(contract)
    except Exception as error:  # whatever YAML or the models say of foreign text
        if is_machine_fault(error):
            raise
        detail = " ".join(str(error).split())[:200]
        raise broken(path, "config.yaml", "the settings of the contract", detail) from None
    bundles = list(models.values()) if isinstance(models, dict) else []
    named = len(bundles) == 1 and isinstance(bundles[0], dict) and set(bundles[0]) == {"bundle"}
    if found != expected or not named or not isinstance(bundles[0]["bundle"], str):
        strange = sorted(map(str, set(found) - set(expected))) or "others"
        raise broken(path, "config.yaml", "exactly the settings of the contract", f"{strange}")


def _tensors(path: str | Path, name: str, contents: Contents) -> dict[str, Tensor]:
    try:
        return load(contents[name])
    except (SafetensorError, KeyError, ValueError) as error:
        message = f"{path}: {name}: expected a safetensors file, found none ({error})"
        raise BundleError(message) from None


def _example_part(path: str | Path, example: dict[str, Tensor], name: str) -> np.ndarray:
    if name not in example or not torch.isfinite(example[name]).all():
        message = f"{path}: example.safetensors: expected finite numbers as {name}, found none"
        raise BundleError(message)
    return example[name].float().numpy()


def _read_history(path: str | Path, content: bytes) -> pd.DataFrame:
    try:
        return pd.read_csv(io.BytesIO(content), sep="\t", na_values=["n/a"])
    except (ValueError, UnicodeDecodeError) as error:
        message = f"{path}: history.tsv: expected a table of losses, found none ({error})"
        raise BundleError(message) from None


def _read_components(path: str | Path, content: bytes) -> Components:
    try:
        return unpack_components(content)
    except ValueError as error:
        message = f"{path}: {COMPONENTS_NAME}: {error}"
        raise BundleError(message) from None


def _read_rates(path: str | Path, content: bytes, card: dict[str, Any]) -> Rates:
    """Read the rates; they must be those that the card lists, since plans go by the card."""
    try:
        rates = unpack_rates(content)
        if card.get("rates", []) != sorted(rates.latents):
            listed, found = card.get("rates"), sorted(rates.latents)
            message = f"expected the methods that config.json lists, {listed}, found {found}"
            raise ValueError(message)
    except ValueError as error:
        message = f"{path}: {RATES_NAME}: {error}"
        raise BundleError(message) from None
    return rates


def _check_fit(path: str | Path, bundle: Bundle) -> None:
    shape = tuple(bundle.card["grid"]["shape"])
    try:
        latent = bundle.network().latent_shape(shape)
    except (KeyError, TypeError, IndexError, ValueError) as error:
        message = f"{path}: config.json: expected a network that fits the grid, found {error!r}"
        raise BundleError(message) from None
    parts = {"volume": shape, "mean": latent, "log_variance": latent}
    found_shapes = {name: getattr(bundle, name).shape for name in parts}
    parts["centre of the components"] = (math.prod(latent),)
    found_shapes["centre of the components"] = bundle.components.centre.shape
    for name, expected in parts.items():
        found = found_shapes[name]
        if found != expected:
            message = f"{path}: example: expected {name} of shape {expected}, found {found}"
            raise BundleError(message)
    try:
        check_elements(bundle.rates, math.prod(latent))
    except ValueError as error:
        message = f"{path}: {RATES_NAME}: {error}"
        raise BundleError(message) from None
    try:
        bundle.build()
    except ValueError as error:
        message = f"{path}: model.safetensors: {error}"
        raise BundleError(message) from None
