"""One update of the autoencoder, one of the discriminator, one look at the validation scans."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from brainlapse.networks.interface import Autoencoder, Heads
from brainlapse.training.data.scans import ScanSet, to_batch
from brainlapse.training.devices.processes import ALONE, Processes
from brainlapse.training.loop.loss_settings import LossSettings
from brainlapse.training.loop.losses import discriminator_loss, loss_terms
from brainlapse.training.loop.micro_batches import in_parts
from brainlapse.training.model.precision import autocast
from brainlapse.training.model.state import TrainingState
from brainlapse.training.settings import AutoencoderSettings

SMALLEST_SCALE = 2.0**-10
"""Of the loss in float16: below it the gradients overflow whatever the scale."""


class TrainingDiverged(Exception):
    """A loss or gradient is no longer finite; the message says where."""


@dataclass(frozen=True)
class Engine:
    """How the steps of a run are computed.

    Attributes
    ----------
    perceptual
        Distance of two volumes, or None without the perceptual term.
    precision
        float32, bfloat16 or float16.
    encode_decode
        The function below, compiled or not.
    """

    settings: AutoencoderSettings
    device: torch.device
    perceptual: nn.Module | None
    precision: str
    processes: Processes
    encode_decode: Callable[[Autoencoder, Tensor, Tensor | None], tuple[Tensor, Tensor, Tensor]]


@dataclass(frozen=True)
class Batch:
    """One process's part of the scans of an update.

    Attributes
    ----------
    volume
        (B, 1, D, H, W), augmented.
    noise
        Standard normal draws for the latent (B, C, d, h, w); None: decode the mean.
    share
        Weight of each of these scans: 1 / scans of the update in all processes.
    place
        Epoch, step and scans, for messages.
    rows
        Which training scans these are, for their labels; None where labels don't count.
    """

    volume: Tensor
    noise: Tensor | None
    share: float
    place: str
    rows: list[int] | None = None


def build_engine(
    settings: AutoencoderSettings,
    device: torch.device,
    perceptual: nn.Module | None = None,
    precision: str = "float32",
    processes: Processes = ALONE,
) -> Engine:
    """Put together how steps are computed."""
    function = torch.compile(encode_decode) if settings.training.compile else encode_decode
    return Engine(settings, device, perceptual, precision, processes, function)


def encode_decode(
    model: Autoencoder, volume: Tensor, noise: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Reconstruction (B, 1, D, H, W), mean and log-variance of volumes; all float32."""
    mean, log_variance = model.encode(volume)
    mean, log_variance = mean.float(), log_variance.float()
    latent = mean if noise is None else mean + (0.5 * log_variance).exp() * noise
    return model.decode(latent).float(), mean, log_variance


def autoencoder_step(
    state: TrainingState, batch: Batch, engine: Engine
) -> tuple[dict[str, float], Tensor]:
    """Update the autoencoder on a batch.

    Returns
    -------
    tuple
        The loss terms before the update, over the scans of all processes, and the detached
        reconstruction (B, 1, D, H, W).

    Raises
    ------
    TrainingDiverged
        Before the update, if a term or the gradient is not finite; names the place.
    """
    found, state.micro_batch = in_parts(
        len(batch.volume), state.micro_batch, lambda part: learn_part(state, batch, part, engine)
    )
    values = engine.processes.add(_add_up([terms for terms, _ in found]))
    check_finite(values, batch.place)
    engine.processes.add_gradients(state.model.parameters())
    _update(state, engine.settings.training.clip_norm, values, batch.place)
    return values, torch.cat([reconstruction for _, reconstruction in found])


def learn_part(
    state: TrainingState, batch: Batch, part: slice, engine: Engine
) -> tuple[dict[str, float], Tensor]:
    """Add the gradients of a part of the batch; the first part starts from none."""
    if part.start == 0:
        state.optimiser.zero_grad(set_to_none=True)
    with frozen(state.discriminator):
        terms, reconstruction = _terms_of(state.model, state, batch, part, engine)
        share = batch.share * len(reconstruction)
        state.scaler.scale(share * terms["total"]).backward()
    return {name: share * term.item() for name, term in terms.items()}, reconstruction.detach()


def _terms_of(
    model: Autoencoder, state: TrainingState, batch: Batch, part: slice, engine: Engine
) -> tuple[dict[str, Tensor], Tensor]:
    volume = batch.volume[part]
    noise = None if batch.noise is None else batch.noise[part]
    with autocast(engine.device, engine.precision):
        reconstruction, mean, log_variance = engine.encode_decode(model, volume, noise)
    scores = None if state.discriminator is None else _scores(state.discriminator, engine)
    loss, perceptual = engine.settings.loss, engine.perceptual
    terms = loss_terms(volume, reconstruction, mean, log_variance, loss, perceptual, scores)
    if batch.rows is not None and model.heads is not None:
        _add_heads(terms, model.heads, mean, batch.rows[part], engine.settings)
    return terms, reconstruction


def _add_heads(
    terms: dict[str, Tensor],
    heads: Heads,
    mean: Tensor,
    rows: list[int],
    settings: AutoencoderSettings,
) -> None:
    """Add the losses of the heads, one term per task, and their weighted sum to `total`."""
    assert settings.heads is not None
    for task, loss in heads.losses(mean, rows).items():
        terms[f"head_{task}"] = loss
        terms["total"] = terms["total"] + settings.heads.weight * loss


def _scores(discriminator: nn.Module, engine: Engine) -> Callable[[Tensor], Tensor]:
    """Patch scores in float32, computed in the run's precision."""

    def score(volume: Tensor) -> Tensor:  # (B, 1, D, H, W) -> (B, 1, d, h, w)
        with autocast(engine.device, engine.precision):
            return discriminator(volume).float()

    return score


def _update(state: TrainingState, clip: float, values: dict[str, float], place: str) -> None:
    """Clip the gradients and update the weights; in float16 an overflow only skips the update."""
    state.scaler.unscale_(state.optimiser)
    norm = nn.utils.clip_grad_norm_(state.model.parameters(), clip).item()
    if not state.scaler.is_enabled() or state.scaler.get_scale() < SMALLEST_SCALE:
        check_finite({**values, "gradient norm": norm}, place)
    state.scaler.step(state.optimiser)


def discriminator_step(
    state: TrainingState, batch: Batch, reconstruction: Tensor, engine: Engine
) -> float:
    """Update the discriminator on scans and detached reconstructions; returns its loss."""
    discriminator, optimiser = state.discriminator, state.discriminator_optimiser
    assert discriminator is not None
    assert optimiser is not None
    found, state.micro_batch = in_parts(
        len(reconstruction),
        state.micro_batch,
        lambda part: judge_part(state, batch, reconstruction, part, engine),
    )
    values = engine.processes.add(_add_up(found))
    check_finite(values, batch.place)
    engine.processes.add_gradients(discriminator.parameters())
    state.scaler.step(optimiser)
    return values["discriminator"]


def judge_part(
    state: TrainingState, batch: Batch, reconstruction: Tensor, part: slice, engine: Engine
) -> dict[str, float]:
    """Add the discriminator's gradients of a part of the batch; the first starts from none."""
    assert state.discriminator is not None
    assert state.discriminator_optimiser is not None
    if part.start == 0:
        state.discriminator_optimiser.zero_grad(set_to_none=True)
    score = _scores(state.discriminator, engine)
    real, fake = batch.volume[part], reconstruction[part]
    loss = batch.share * len(real) * discriminator_loss(score(real), score(fake))
    state.scaler.scale(loss).backward()
    return {"discriminator": loss.item()}


def _add_up(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: sum(row[name] for row in rows) for name in rows[0]}


@torch.no_grad()
def validation_terms(state: TrainingState, scans: ScanSet, engine: Engine) -> dict[str, float]:
    """Mean loss terms over the validation scans, decoded from the latent mean."""
    rows = engine.processes.part(range(len(scans.names))) or [0]  # at least the names of the terms
    share = 1 / len(scans.names) if engine.processes.part(range(len(scans.names))) else 0.0

    def look(part: slice) -> dict[str, float]:
        batch = Batch(to_batch(scans.volumes[rows[part]], engine.device), None, share, "validation")
        terms, _ = _terms_of(state.judged, state, batch, slice(None), engine)
        return {name: share * len(batch.volume) * term.item() for name, term in terms.items()}

    found, _ = in_parts(len(rows), state.micro_batch, look)
    return engine.processes.add(_add_up(found))


@torch.no_grad()
def reconstruct(state: TrainingState, volume: Tensor, engine: Engine) -> Tensor:
    """Reconstruct volumes (B, 1, D, H, W) through the latent mean, with the weights to be kept."""
    with autocast(engine.device, engine.precision):
        return engine.encode_decode(state.judged, volume, None)[0]


@contextmanager
def frozen(network: nn.Module | None) -> Iterator[None]:
    """Keep gradients out of a network's weights; they still flow through it to its input."""
    if network is not None:
        network.requires_grad_(False)
    try:
        yield
    finally:
        if network is not None:
            network.requires_grad_(True)


def check_finite(terms: dict[str, float], place: str) -> None:
    """Raise TrainingDiverged if a term is NaN or infinite."""
    if all(math.isfinite(value) for value in terms.values()):
        return
    found = ", ".join(f"{name} {value:.4g}" for name, value in terms.items())
    message = (
        f"{place}: expected finite loss terms, found {found}; the weights were not updated. "
        "Lower training.learning_rate or look at these scans"
    )
    raise TrainingDiverged(message)


def describe_place(epoch: int, step: int, names: Sequence[str]) -> str:
    """Say where a run stands: epoch, step and scans."""
    return f"epoch {epoch}, step {step}, scans {', '.join(names)}"


def discriminator_due(loss: LossSettings, epoch: int) -> bool:
    """Tell whether the adversarial term acts in this epoch."""
    return loss.adversarial_weight > 0 and epoch >= loss.adversarial_start_epoch
