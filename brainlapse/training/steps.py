"""One update of the autoencoder, one of the discriminator, one look at the validation scans."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from brainlapse.networks.interface import Autoencoder
from brainlapse.training.data import ScanSet, to_batch
from brainlapse.training.losses import discriminator_loss, loss_terms
from brainlapse.training.settings import AutoencoderSettings, LossSettings
from brainlapse.training.state import TrainingState


class TrainingDiverged(Exception):
    """A loss or gradient is no longer finite; the message says where."""


def autoencoder_step(
    state: TrainingState,
    volume: Tensor,
    settings: AutoencoderSettings,
    perceptual: nn.Module | None,
    place: str,
) -> tuple[dict[str, float], Tensor]:
    """Update the autoencoder on a batch (B, 1, D, H, W).

    Returns
    -------
    tuple
        The loss terms before the update, and the detached reconstruction (B, 1, D, H, W).

    Raises
    ------
    TrainingDiverged
        Before the update, if a term or the gradient is not finite; names `place`.
    """
    with frozen(state.discriminator):
        reconstruction, mean, log_variance = _pass(
            state.model, volume, settings, sample=settings.loss.sample_latent
        )
        terms = loss_terms(
            volume,
            reconstruction,
            mean,
            log_variance,
            settings.loss,
            perceptual,
            state.discriminator,
        )
        values = {name: term.item() for name, term in terms.items()}
        check_finite(values, place)
        state.optimiser.zero_grad(set_to_none=True)
        terms["total"].backward()
    norm = nn.utils.clip_grad_norm_(state.model.parameters(), settings.training.clip_norm)
    check_finite({**values, "gradient norm": norm.item()}, place)
    state.optimiser.step()
    return values, reconstruction.detach()


def discriminator_step(state: TrainingState, volume: Tensor, reconstruction: Tensor) -> float:
    """Update the discriminator on scans and detached reconstructions; returns its loss."""
    assert state.discriminator is not None
    assert state.discriminator_optimiser is not None
    state.discriminator_optimiser.zero_grad(set_to_none=True)
    loss = discriminator_loss(state.discriminator(volume), state.discriminator(reconstruction))
    loss.backward()
    state.discriminator_optimiser.step()
    return loss.item()


@torch.no_grad()
def validation_terms(
    state: TrainingState,
    scans: ScanSet,
    settings: AutoencoderSettings,
    perceptual: nn.Module | None,
    device: torch.device,
) -> dict[str, float]:
    """Mean loss terms over the validation scans, decoded from the latent mean."""
    sums: dict[str, float] = {}
    size = settings.training.batch_size
    for start in range(0, len(scans.names), size):
        volume = to_batch(scans.volumes[start : start + size], device)
        reconstruction, mean, log_variance = _pass(state.model, volume, settings, sample=False)
        terms = loss_terms(
            volume,
            reconstruction,
            mean,
            log_variance,
            settings.loss,
            perceptual,
            state.discriminator,
        )
        for name, term in terms.items():
            sums[name] = sums.get(name, 0.0) + term.item() * len(volume)
    return {name: total / len(scans.names) for name, total in sums.items()}


def _pass(
    model: Autoencoder, volume: Tensor, settings: AutoencoderSettings, sample: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Encode and decode a batch; the results are float32 whatever the arithmetic."""
    mixed = volume.device.type == "cuda" and settings.training.precision == "bfloat16"
    with torch.autocast(volume.device.type, torch.bfloat16, enabled=mixed):
        mean, log_variance = model.encode(volume)
        mean, log_variance = mean.float(), log_variance.float()
        latent = draw(mean, log_variance) if sample else mean
        return model.decode(latent).float(), mean, log_variance


def draw(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Draw from N(mean, variance) so that gradients reach both (B, C, d, h, w)."""
    return mean + (0.5 * log_variance).exp() * torch.randn_like(mean)


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
