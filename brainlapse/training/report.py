"""What a training run leaves beside its weights: the loss history and the model's card."""

from typing import Any

import pandas as pd

from brainlapse.space import SpaceSettings, mni_grid
from brainlapse.training.settings import AutoencoderSettings
from brainlapse.training.state import TrainingState

TIME_COLUMNS = ["epoch", "step", "seconds", "lr"]


def history_table(state: TrainingState) -> pd.DataFrame:
    """One row per epoch: position, rate, then every loss term as `train_*` and `validation_*`.

    Terms are not weighted, except `total`. A term is missing in epochs in which it did not act.
    """
    table = pd.DataFrame(state.history)
    terms = [name for name in table.columns if name not in TIME_COLUMNS]
    return table[[*TIME_COLUMNS, *terms]]


def model_card(
    state: TrainingState,
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
        "latent_shape": list(settings.network.latent_shape(space.shape)),
        "contract": contract,
        "seed": seed,
        "precision": precision,
        "steps": state.step,
        "epochs": len(state.history),
        "best_epoch": state.best.epoch,
        "selection": {
            "split": "validation" if validated else "train",
            "term": settings.training.selection,
            "value": state.best.value,
        },
        "parameters": sum(weights.numel() for weights in state.model.parameters()),
    }
