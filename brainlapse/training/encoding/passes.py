"""Encoding scans and decoding latents with a trained autoencoder, in passes of equal shape.

The last pass is filled up: the order in which numbers are added depends on the shape, and so
would the last bits of a latent. With one shape they depend on the scan alone.
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from brainlapse.networks.interface import Autoencoder
from brainlapse.training.data.scans import to_batch
from brainlapse.training.encoding.tiles import decode_in_tiles
from brainlapse.training.model.trained import load_model
from brainlapse.training.settings import EncodingSettings

__all__ = ["decode_latents", "encode_volumes", "load_model"]


def encode_volumes(
    model: Autoencoder,
    volumes: Iterable[np.ndarray],
    settings: EncodingSettings,
    device: torch.device,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Encode volumes as they come, one pass at a time.

    Parameters
    ----------
    model
        Autoencoder from `load_model`; moved to the device.
    volumes
        (D, H, W) each, MNI space, values 0 to 1.
    settings
        Volumes per pass, arithmetic.

    Yields
    ------
    tuple
        mean and log_variance, (C, d, h, w) float32, in the order of the volumes.
    """
    model = model.to(device).eval()
    remaining = iter(volumes)
    while group := list(islice(remaining, settings.batch_size)):
        batch = to_batch(_filled(np.stack(group), settings.batch_size), device)
        with torch.inference_mode(), arithmetic(settings, device):
            statistics = model.encode(batch)
        means, log_variances = (_to_array(tensor)[: len(group)] for tensor in statistics)
        yield from zip(means, log_variances, strict=True)


def decode_latents(
    model: Autoencoder, latents: np.ndarray, settings: EncodingSettings, device: torch.device
) -> Iterator[np.ndarray]:
    """Decode latents one pass at a time.

    Parameters
    ----------
    model
        Autoencoder from `load_model`; moved to the device.
    latents
        (N, C, d, h, w).
    settings
        Latents per pass, arithmetic, tiles.

    Yields
    ------
    numpy.ndarray
        (D, H, W) float32, clamped to 0 to 1, in the order of the latents.

    Raises
    ------
    ValueError
        If tiles are asked for and the network can't be decoded in tiles.
    """
    model = model.to(device).eval()
    size = settings.batch_size
    for start in range(0, len(latents), size):
        chosen = np.asarray(latents[start : start + size], dtype=np.float32)
        with torch.inference_mode(), arithmetic(settings, device):
            volumes = _decode(model, _filled(chosen, size), settings, device)
        decoded = _to_array(volumes.float().clamp(0, 1).squeeze(1))
        yield from decoded[: len(chosen)]


def arithmetic(settings: EncodingSettings, device: torch.device) -> AbstractContextManager:
    """Return the configured arithmetic: mixed bfloat16 on a GPU where asked for, else float32."""
    if settings.precision == "bfloat16" and device.type == "cuda":
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()


def _decode(
    model: Autoencoder, latents: np.ndarray, settings: EncodingSettings, device: torch.device
) -> Tensor:
    batch = torch.from_numpy(np.ascontiguousarray(latents)).to(device)  # (B, C, d, h, w)
    if settings.decode_tile is None:
        return model.decode(batch)  # (B, 1, D, H, W)
    tiles = (settings.decode_tile, settings.decode_overlap)
    return torch.cat([decode_in_tiles(model, latent[None], *tiles) for latent in batch])


def _filled(group: np.ndarray, size: int) -> np.ndarray:
    missing = size - len(group)
    return np.pad(group, [(0, missing), *[(0, 0)] * (group.ndim - 1)]) if missing else group


def _to_array(tensor: Tensor) -> np.ndarray:
    return tensor.float().cpu().numpy()
