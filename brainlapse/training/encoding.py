"""Encoding scans and decoding latents with a trained autoencoder, in batches."""

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
import torch

from brainlapse.networks.interface import Autoencoder
from brainlapse.training.data import to_batch
from brainlapse.training.model import load_model

__all__ = ["decode_latents", "encode_volumes", "load_model"]


@torch.inference_mode()
def encode_volumes(
    model: Autoencoder, volumes: Iterable[np.ndarray], batch_size: int, device: torch.device
) -> tuple[np.ndarray, np.ndarray]:
    """Encode volumes as they come; only latents are kept.

    Parameters
    ----------
    model
        Autoencoder from `load_model`; moved to the device.
    volumes
        (D, H, W) each, MNI space, values 0 to 1.
    batch_size
        Volumes per pass.

    Returns
    -------
    tuple
        mean and log_variance, (N, C, d, h, w) float32.
    """
    model = model.to(device).eval()
    means, log_variances = [], []
    remaining = iter(volumes)
    while group := list(islice(remaining, batch_size)):
        mean, log_variance = model.encode(to_batch(np.stack(group), device))
        means.append(mean.float().cpu().numpy())
        log_variances.append(log_variance.float().cpu().numpy())
    return np.concatenate(means), np.concatenate(log_variances)


def decode_latents(
    model: Autoencoder, latents: np.ndarray, batch_size: int, device: torch.device
) -> Iterator[np.ndarray]:
    """Decode latents one batch at a time.

    Parameters
    ----------
    model
        Autoencoder from `load_model`; moved to the device.
    latents
        (N, C, d, h, w).
    batch_size
        Latents per pass.

    Yields
    ------
    numpy.ndarray
        (D, H, W) float32, clamped to 0 to 1, in the order of the latents.
    """
    model = model.to(device).eval()
    for start in range(0, len(latents), batch_size):
        chosen = np.ascontiguousarray(latents[start : start + batch_size], dtype=np.float32)
        with torch.inference_mode():
            volumes = model.decode(torch.from_numpy(chosen).to(device))  # (B, 1, D, H, W)
            decoded = volumes.float().clamp(0, 1).squeeze(1).cpu().numpy()
        yield from decoded
