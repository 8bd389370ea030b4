"""Everything of a training run that a checkpoint holds."""

import copy
from dataclasses import dataclass, field
from typing import Any

import torch
from safetensors.torch import load_file
from torch import nn

from brainlapse.damage import reading
from brainlapse.networks.autoencoders import build_autoencoder
from brainlapse.networks.discriminator import build_discriminator
from brainlapse.networks.interface import Autoencoder, Heads, without_heads
from brainlapse.networks.layouts import keep_layouts
from brainlapse.networks.small_maps import guard_small_maps
from brainlapse.training.determinism import seed_everything
from brainlapse.training.model.average import start_average
from brainlapse.training.model.recomputation import recompute_blocks
from brainlapse.training.model.start_settings import WEIGHTS_NAME, start_folder
from brainlapse.training.settings import AutoencoderSettings

PLAIN = ("step", "seconds", "sums", "scans_seen", "history", "micro_batch")


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

    Attributes
    ----------
    average
        Running average of the weights, or None where the config wants none.
    scaler
        Scale of the loss; does nothing unless the precision is float16.
    micro_batch
        Scans per pass; shrinks where memory runs out.
    """

    model: Autoencoder
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    micro_batch: int
    average: Autoencoder | None = None
    discriminator: nn.Module | None = None
    discriminator_optimiser: torch.optim.Optimizer | None = None
    step: int = 0
    seconds: float = 0.0
    sums: dict[str, float] = field(default_factory=dict)
    scans_seen: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    best: Best | None = None

    @property
    def judged(self) -> Autoencoder:
        """The network whose weights are validated and kept."""
        return self.model if self.average is None else self.average


def new_state(
    settings: AutoencoderSettings,
    grid_shape: tuple[int, int, int],
    seed: int,
    device: torch.device,
    precision: str = "float32",
    heads: Heads | None = None,
) -> TrainingState:
    """Start a run: fresh weights that depend on the seed alone, or those of another model.

    Parameters
    ----------
    heads
        Fresh ones that are trained with the autoencoder as a part of it; a copy is taken.
    """
    seed_everything(seed, "weights")
    model = build_autoencoder(settings.network, grid_shape)
    if settings.start is not None:
        path = start_folder(settings.start) / WEIGHTS_NAME
        with reading(path, "name other weights, or leave `start` out"):
            model.load_state_dict(without_heads(load_file(path)))
    guard_small_maps(model)
    if settings.network.family == "kl":  # of s2d's small maps torch is faster
        keep_layouts(model)
    model.heads = copy.deepcopy(heads)
    model = model.to(device)
    training = settings.training
    average = start_average(model) if training.ema_decay > 0 else None
    if training.checkpoint_gradients:
        recompute_blocks(model)
    optimiser = torch.optim.AdamW(
        model.parameters(), training.learning_rate, weight_decay=training.weight_decay, fused=True
    )
    scaler = torch.amp.GradScaler(device.type, enabled=precision == "float16")
    micro_batch = training.micro_batch or training.batch_size
    return TrainingState(model, optimiser, scaler, micro_batch, average)


def add_discriminator(
    state: TrainingState, settings: AutoencoderSettings, seed: int, device: torch.device
) -> None:
    """Build the discriminator and its optimiser, once the adversarial term begins."""
    seed_everything(seed, "discriminator")
    loss = settings.loss
    network = build_discriminator(loss.discriminator_channels, loss.discriminator_layers)
    guard_small_maps(network)
    state.discriminator = network.to(device)
    state.discriminator_optimiser = torch.optim.Adam(
        network.parameters(), loss.discriminator_learning_rate, betas=(0.5, 0.999)
    )


def pack(state: TrainingState) -> dict[str, Any]:
    """Turn the state into tensors and plain values."""
    packed: dict[str, Any] = {name: getattr(state, name) for name in PLAIN}
    packed["best"] = vars(state.best) if state.best else None
    for name in _parts_present(state):
        packed[name] = getattr(state, name).state_dict()
    return packed


def unpack(
    packed: dict[str, Any],
    settings: AutoencoderSettings,
    grid_shape: tuple[int, int, int],
    seed: int,
    device: torch.device,
    precision: str = "float32",
    heads: Heads | None = None,
) -> TrainingState:
    """Rebuild the state of `pack`."""
    state = new_state(settings, grid_shape, seed, device, precision, heads)
    if "discriminator" in packed:
        add_discriminator(state, settings, seed, device)
    for name in _parts_present(state):
        getattr(state, name).load_state_dict(packed[name])
    for name in PLAIN:
        setattr(state, name, packed[name])
    state.best = Best(**packed["best"]) if packed["best"] else None
    return state


def _parts_present(state: TrainingState) -> list[str]:
    """Names of the networks, optimisers and the scaler that this run has."""
    names = ("model", "average", "optimiser", "scaler", "discriminator", "discriminator_optimiser")
    return [name for name in names if getattr(state, name) is not None]
