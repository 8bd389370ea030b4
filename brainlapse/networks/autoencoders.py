"""Autoencoders by the name of their family."""

import logging

import torch

from brainlapse.networks.interface import Autoencoder
from brainlapse.networks.settings import NetworkSettings

log = logging.getLogger("brainlapse")


def build_autoencoder(settings: NetworkSettings, grid_shape: tuple[int, int, int]) -> Autoencoder:
    """Build the configured autoencoder with fresh weights from the global random state.

    Weights lie channels-last: on a CPU a training step of the `s2d` family then takes less
    than half the time.

    Parameters
    ----------
    grid_shape
        Voxels (D, H, W) of the scans; `vector` and `pca` fit this grid only.
    """
    model = _family(settings, grid_shape)
    for weights in model.parameters():
        if weights.ndim == 5:
            weights.data = weights.data.contiguous(memory_format=torch.channels_last_3d)
    return model


def log_size(family: str, model: Autoencoder) -> None:
    """Log how many numbers a network holds; not on building it, as some are thrown away."""
    log.info("autoencoder %s: %s parameters", family, f"{count_parameters(model):,}")


def count_parameters(model: Autoencoder) -> int:
    """Count the numbers that training or fitting sets."""
    return sum(numbers.numel() for numbers in model.state_dict().values())


def _family(settings: NetworkSettings, grid_shape: tuple[int, int, int]) -> Autoencoder:
    # Imported where it is chosen: MONAI alone takes seconds.
    if settings.family == "kl":
        from brainlapse.networks.kl import KlAutoencoder

        return KlAutoencoder(settings)
    if settings.family == "vector":
        from brainlapse.networks.vector import VectorAutoencoder

        return VectorAutoencoder(settings, grid_shape)
    if settings.family == "pca":
        from brainlapse.networks.linear import LinearAutoencoder

        return LinearAutoencoder(settings.latent_size, grid_shape)
    from brainlapse.networks.space_to_depth import SpaceToDepthAutoencoder

    return SpaceToDepthAutoencoder(settings)
