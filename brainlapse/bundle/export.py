"""Gathering a trained autoencoder of a finished run into a bundle."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors.numpy import save

from brainlapse.aging.plan import tells_rates
from brainlapse.aging.rate_fitting import fit_rates
from brainlapse.aging.rates import RATES_NAME, Rates, pack_rates, unpack_rates
from brainlapse.analysis.pca import COMPONENTS_NAME, fit_components, pack_components
from brainlapse.analysis.settings import AnalysisSettings
from brainlapse.bundle.card import (
    NO_LICENCE,
    TEMPLATE_NOTICE,
    config_fragment,
    readme,
    trained_on,
)
from brainlapse.bundle.files import BundleError, write_files
from brainlapse.cohort.tables import BRAIN
from brainlapse.latents import read_index, read_latents
from brainlapse.runtime import read_table
from brainlapse.segmentation.reading import read_volumes
from brainlapse.space import grid_at
from brainlapse.template import load_template_brain
from brainlapse.training.data.scans import load_on_grid
from brainlapse.training.devices.device import choose_device
from brainlapse.training.encoding.passes import encode_volumes, load_model
from brainlapse.training.model.trained import read_card
from brainlapse.training.settings import EncodingSettings


@dataclass(frozen=True)
class Request:
    """What to export.

    Attributes
    ----------
    results
        Output folder of the run.
    model
        Name of the autoencoder.
    example
        Scan that travels along as `<dataset>/<scan>`; None: the MNI template, nobody's scan.
    licence
        Of the weights, one line.
    """

    results: Path
    model: str
    example: str | None = None
    licence: str = NO_LICENCE


def export_bundle(request: Request, target: str | Path) -> None:
    """Write the bundle of one model to a folder or .zip file.

    Raises
    ------
    BundleError
        If the run lacks a file, or the example is no scan of it.
    """
    folder = request.results / "autoencoder" / request.model
    needed = ["model.safetensors", "config.json", "history.tsv", "reconstruction_summary.tsv"]
    for path in (*(folder / name for name in needed), _index_path(request)):
        if not path.is_file():
            message = f"{path}: expected a finished model, found no such file; run snakemake encode"
            raise BundleError(message)
    index, card = read_index(_index_path(request)), read_card(folder)
    card = {"trained_on": trained_on(index), **card}  # one taken from a bundle keeps its own
    rates = gather_rates(request)
    card["rates"] = sorted(rates.latents)
    volume = example_volume(request, card, index)
    shown = (
        f"`{request.example}`, a person's scan, added by the exporter's choice."
        if request.example
        else TEMPLATE_NOTICE
    )
    summary = read_table(folder / "reconstruction_summary.tsv", ("split",))
    forecasts = request.results / "aging" / request.model / "summary.tsv"
    known = read_table(forecasts, ("region", "method")) if forecasts.is_file() else pd.DataFrame()
    words = readme(request.model, card, summary, request.licence, shown, known)
    place = Path(target).name
    write_files(
        target,
        {
            **{name: (folder / name).read_bytes() for name in needed if name != "config.json"},
            "config.json": _json(card),
            "contract.json": _json(card["contract"]),
            "config.yaml": config_fragment(request.model, card["contract"], place).encode(),
            "README.md": words.encode(),
            "example.safetensors": encode_example(folder, volume),
            COMPONENTS_NAME: gather_components(request),
            RATES_NAME: pack_rates(rates),
        },
    )


def example_volume(request: Request, card: dict[str, Any], index: pd.DataFrame) -> np.ndarray:
    """Return the example (D, H, W), float32: the scan that was named, or the template."""
    grid = grid_at(card["grid"]["voxel_mm"], tuple(card["grid"]["shape"]))
    if request.example is None:
        t1, mask = load_template_brain(grid)
        level = card["contract"]["intensity"]["settings"].get("upper_level", 0.85)
        return np.where(mask, np.clip(level * t1, 0, 1), 0).astype(np.float32)
    names = index["dataset"].str.cat(index["scan"], sep="/")
    found = index.loc[names == request.example, "scan_path"]
    if found.empty:
        message = (
            f"{_index_path(request)}: expected the scan {request.example!r} (<dataset>/<scan>), "
            f"found e.g. {names.iloc[0]!r}; name a scan of this run that may be shared"
        )
        raise BundleError(message)
    return load_on_grid(request.results / "preprocess" / f"{found.iloc[0]}{BRAIN}", grid.shape)


def gather_components(request: Request) -> bytes:
    """Fit the principal components of the training scans, or hand on those that came along."""
    inherited = request.results / "autoencoder" / request.model / COMPONENTS_NAME
    if inherited.is_file():
        return inherited.read_bytes()
    mean, index = read_latents(_index_path(request).parent)
    found = fit_components(mean, index, AnalysisSettings().components, seed=0)
    if found is None:
        message = f"{_index_path(request)}: expected unflagged training scans, found none"
        raise BundleError(message)
    return pack_components(found)


def gather_rates(request: Request) -> Rates:
    """Fit the rates of the training people, or hand on those that came along.

    Raises
    ------
    BundleError
        If those that came along can't be read.
    """
    inherited = request.results / "autoencoder" / request.model / RATES_NAME
    mean, index = read_latents(_index_path(request).parent)
    if inherited.is_file() and not tells_rates(index):
        try:
            return unpack_rates(inherited.read_bytes())
        except ValueError as error:
            message = f"{inherited}: {error}; delete it and run snakemake encode again"
            raise BundleError(message) from None
    path = request.results / "volumes/volumes.tsv"
    return fit_rates(mean, index, read_volumes(path) if path.is_file() else pd.DataFrame())


def encode_example(folder: Path, volume: np.ndarray) -> bytes:
    """Encode the example with the model in a folder; a safetensors file of volume and latent."""
    settings = EncodingSettings(batch_size=1)
    ((mean, log_variance),) = encode_volumes(
        load_model(folder), [volume], settings, choose_device()
    )
    parts = {"volume": volume, "mean": mean, "log_variance": log_variance}
    return save({name: np.ascontiguousarray(part) for name, part in parts.items()})


def _index_path(request: Request) -> Path:
    return request.results / "latents" / request.model / "index.tsv"


def _json(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n").encode()
