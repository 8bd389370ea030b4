"""Autoencoders by the name of their family."""

import logging
from collections.abc import Callable

import torch

from brainlapse.networks.interface import Autoencoder
from brainlapse.networks.settings import NetworkSettings

Shape = tuple[int, int, int]

log = logging.getLogger("brainlapse")


def build_autoencoder(settings: NetworkSettings, grid_shape: Shape) -> Autoencoder:
    """Build the configured autoencoder with fresh weights from the global random state.

    Weights lie channels-last: on a CPU a training step of the `s2d` family then takes less
    than half the time.

    Parameters
    ----------
    grid_shape
        Voxels (D, H, W) of the scans; `vector` and `pca` fit this grid only.
    """
    model = FAMILIES[settings.family](settings, grid_shape)
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


# Each family is imported where it is chosen: MONAI alone takes seconds.


def _build_s2d(settings: NetworkSettings, grid_shape: Shape) -> Autoencoder:
    from brainlapse.networks.space_to_depth import SpaceToDepthAutoencoder

    return SpaceToDepthAutoencoder(settings)


def _build_kl(settings: NetworkSettings, grid_shape: Shape) -> Autoencoder:
    from brainlapse.networks.kl import KlAutoencoder

    return KlAutoencoder(settings)


def _build_vector(settings: NetworkSettings, grid_shape: Shape) -> Autoencoder:
    from brainlapse.networks.vector import VectorAutoencoder

    return VectorAutoencoder(settings, grid_shape)


def _build_pca(settings: NetworkSettings, grid_shape: Shape) -> Autoencoder:
    from brainlapse.networks.linear import LinearAutoencoder

    return LinearAutoencoder(settings.latent_size, grid_shape)


FAMILIES: dict[str, Callable[[NetworkSettings, Shape], Autoencoder]] = {
    "s2d": _build_s2d,
    "kl": _build_kl,
    "vector": _build_vector,
    "pca": _build_pca,
}
"""What builds each family with fresh weights; the names are those of `NetworkSettings.family`."""
