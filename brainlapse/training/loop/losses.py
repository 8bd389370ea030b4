"""Equation 1 of MRExtrap as a dict of named terms.

total = l1_weight * L1 + perceptual.weight * perceptual + adversarial_weight * adversarial
        + kl_weight * KL
"""

from collections.abc import Callable

from torch import Tensor, nn

from brainlapse.training.loop.loss_settings import LossSettings


def l1(reconstruction: Tensor, volume: Tensor) -> Tensor:
    """Absolute difference, averaged over all voxels of the grid and over scans."""
    return (reconstruction - volume).abs().mean()


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL divergence of N(mean, variance) from N(0, 1), both (B, C, d, h, w).

    Summed over all latent elements of a scan and averaged over scans (Pinaya et al. 2022).
    """
    elements = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance)
    return elements.flatten(1).sum(dim=1).mean()


def adversarial_loss(fake_scores: Tensor) -> Tensor:
    """Least-squares distance of the scores of reconstructions from "real" (1), over all patches."""
    return ((fake_scores - 1) ** 2).mean()


def discriminator_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """Least-squares loss of the discriminator (Mao et al. 2017): real to 1, fake to 0."""
    return 0.5 * (((real_scores - 1) ** 2).mean() + (fake_scores**2).mean())


def term_weights(settings: LossSettings) -> dict[str, float]:
    """Weight of each named term."""
    return {
        "l1": settings.l1_weight,
        "perceptual": settings.perceptual.weight,
        "adversarial": settings.adversarial_weight,
        "kl": settings.kl_weight,
    }


def loss_terms(
    volume: Tensor,
    reconstruction: Tensor,
    mean: Tensor,
    log_variance: Tensor,
    settings: LossSettings,
    perceptual: nn.Module | None,
    discriminator: Callable[[Tensor], Tensor] | None,
) -> dict[str, Tensor]:
    """Every term that is switched on, not weighted, and their weighted sum `total`.

    Parameters
    ----------
    volume, reconstruction
        (B, 1, D, H, W).
    mean, log_variance
        (B, C, d, h, w).
    perceptual
        Distance of two volumes; without it there is no such term.
    discriminator
        Patch scores of volumes; None before the adversarial term starts.
    """
    terms = {"l1": l1(reconstruction, volume), "kl": kl_divergence(mean, log_variance)}
    if perceptual is not None:
        terms["perceptual"] = perceptual(reconstruction, volume)
    if discriminator is not None:
        terms["adversarial"] = adversarial_loss(discriminator(reconstruction))
    weights = term_weights(settings)
    terms["total"] = sum((weights[name] * term for name, term in terms.items()), mean.new_zeros(()))
    return terms
