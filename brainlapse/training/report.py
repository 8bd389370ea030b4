"""What a training run leaves beside its weights: the loss history and the model's card."""

from typing import Any

import pandas as pd

from brainlapse.networks.autoencoders import count_parameters
from brainlapse.networks.interface import Autoencoder
from brainlapse.networks.linear import LinearAutoencoder
from brainlapse.networks.settings import NetworkSettings
from brainlapse.space import SpaceSettings, mni_grid
from brainlapse.training.model.state import TrainingState
from brainlapse.training.principal import Fitted
from brainlapse.training.settings import AutoencoderSettings

TIME_COLUMNS = ["epoch", "step", "seconds", "lr"]


def history_table(state: TrainingState | Fitted) -> pd.DataFrame:
    """One row per epoch: position, rate, then every loss term as `train_*` and `validation_*`.

    Terms are not weighted, except `total`. A term is missing in epochs in which it did not act.
    """
    table = pd.DataFrame(state.history)
    terms = [name for name in table.columns if name not in TIME_COLUMNS]
    return table[[*TIME_COLUMNS, *terms]]


def model_card(
    state: TrainingState | Fitted,
    settings: AutoencoderSettings,
    space: SpaceSettings,
    contract: dict[str, Any],
    seed: int,
    precision: str = "float32",
) -> dict[str, Any]:
    """Say how a model came about and which scans it takes."""
    assert state.best is not None  # the last epoch of every run sets it
    validated = any("validation_l1" in row for row in state.history)
    return {
        "settings": settings.model_dump(mode="json"),
        "grid": {
            "shape": list(space.shape),
            "voxel_mm": space.voxel_mm,
            "affine": mni_grid(space).affine.tolist(),
        },
        "latent_shape": list(latent_shape(state.model, settings.network, space.shape)),
        "contract": contract,
        "seed": seed,
        "precision": precision,
        "steps": state.step,
        "epochs": len(state.history),
        "best_epoch": state.best.epoch,
        "selection": {
            "split": "validation" if validated else "train",
            "term": settings.training.selection,
            "phase": phase(state, settings),
            "value": state.best.value,
        },
        "parameters": count_parameters(state.model),
        **({"heads": state.model.heads.describe()} if state.model.heads is not None else {}),
    }


def phase(state: TrainingState | Fitted, settings: AutoencoderSettings) -> str:
    """Return the phase of the kept weights: adversarial, or reconstruction before or without it."""
    assert state.best is not None
    begun = not isinstance(state, Fitted) and state.discriminator is not None
    late = begun and state.best.epoch >= settings.loss.adversarial_start_epoch
    return "adversarial" if late else "reconstruction"


def latent_shape(
    model: Autoencoder, network: NetworkSettings, grid_shape: tuple[int, int, int]
) -> tuple[int, int, int, int]:
    """Shape (C, d, h, w) of a model's latents; `pca` may have fewer elements than asked for."""
    if isinstance(model, LinearAutoencoder):
        return (len(model.components), 1, 1, 1)
    return network.latent_shape(grid_shape)
