"""Everything of a training run that a checkpoint holds."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from brainlapse.networks.autoencoders import build_autoencoder
from brainlapse.networks.discriminator import build_discriminator
from brainlapse.networks.interface import Autoencoder
from brainlapse.training.determinism import seed_everything
from brainlapse.training.settings import AutoencoderSettings


@dataclass
class Best:
    """The weights kept so far and why."""

    value: float
    epoch: int
    weights: dict[str, torch.Tensor]


@dataclass
class TrainingState:
    """Networks, optimisers, position and running sums of a run.

    Random generators need no place here: each step seeds them anew from seed and step.
    """

    model: Autoencoder
    optimiser: torch.optim.Optimizer
    discriminator: nn.Module | None = None
    discriminator_optimiser: torch.optim.Optimizer | None = None
    step: int = 0
    seconds: float = 0.0
    sums: dict[str, float] = field(default_factory=dict)
    scans_seen: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    best: Best | None = None


def new_state(
    settings: AutoencoderSettings,
    grid_shape: tuple[int, int, int],
    seed: int,
    device: torch.device,
) -> TrainingState:
    """Start a run: fresh weights that depend on the seed alone."""
    seed_everything(seed, "weights")
    model = build_autoencoder(settings.network, grid_shape).to(device)
    training = settings.training
    optimiser = torch.optim.AdamW(
        model.parameters(), training.learning_rate, weight_decay=training.weight_decay, fused=True
    )
    return TrainingState(model, optimiser)


def add_discriminator(
    state: TrainingState, settings: AutoencoderSettings, seed: int, device: torch.device
) -> None:
    """Build the discriminator and its optimiser, once the adversarial term begins."""
    seed_everything(seed, "discriminator")
    loss = settings.loss
    network = build_discriminator(loss.discriminator_channels, loss.discriminator_layers)
    state.discriminator = network.to(device)
    state.discriminator_optimiser = torch.optim.Adam(
        network.parameters(), loss.discriminator_learning_rate, betas=(0.5, 0.999)
    )


def pack(state: TrainingState) -> dict[str, Any]:
    """Turn the state into tensors and plain values."""
    packed: dict[str, Any] = {
        "model": state.model.state_dict(),
        "optimiser": state.optimiser.state_dict(),
        "step": state.step,
        "seconds": state.seconds,
        "sums": state.sums,
        "scans_seen": state.scans_seen,
        "history": state.history,
        "best": vars(state.best) if state.best else None,
    }
    if state.discriminator is not None and state.discriminator_optimiser is not None:
        packed["discriminator"] = state.discriminator.state_dict()
        packed["discriminator_optimiser"] = state.discriminator_optimiser.state_dict()
    return packed


def unpack(
    packed: dict[str, Any],
    settings: AutoencoderSettings,
    grid_shape: tuple[int, int, int],
    seed: int,
    device: torch.device,
) -> TrainingState:
    """Rebuild the state of `pack`."""
    state = new_state(settings, grid_shape, seed, device)
    state.model.load_state_dict(packed["model"])
    state.optimiser.load_state_dict(packed["optimiser"])
    if "discriminator" in packed:
        add_discriminator(state, settings, seed, device)
        assert state.discriminator is not None
        assert state.discriminator_optimiser is not None
        state.discriminator.load_state_dict(packed["discriminator"])
        state.discriminator_optimiser.load_state_dict(packed["discriminator_optimiser"])
    for name in ("step", "seconds", "sums", "scans_seen", "history"):
        setattr(state, name, packed[name])
    state.best = Best(**packed["best"]) if packed["best"] else None
    return state
