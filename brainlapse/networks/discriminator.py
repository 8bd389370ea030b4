"""The patch discriminator of the adversarial loss (Isola et al. 2016, through MONAI)."""

from torch import Tensor, nn


def build_discriminator(channels: int, layers: int) -> nn.Module:
    """Build a discriminator that maps volumes (B, 1, D, H, W) to patch scores.

    Instance in place of batch normalisation: it keeps no running statistics, so that a step
    of the autoencoder leaves every number of the discriminator as it was, and batches of one
    scan behave like larger ones.

    Parameters
    ----------
    channels
        Width of the first layer; each further layer doubles it.
    layers
        Convolutions of stride 2; more layers look at larger patches.

    Returns
    -------
    torch.nn.Module
        Gives the scores of all patches (B, 1, d, h, w).
    """
    from monai.networks.nets.patchgan_discriminator import PatchDiscriminator

    return LastScores(
        PatchDiscriminator(
            spatial_dims=3, channels=channels, in_channels=1, num_layers_d=layers, norm="INSTANCE"
        )
    )


class LastScores(nn.Module):
    """Keep the scores of a MONAI discriminator, which also returns every layer's features."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, volume: Tensor) -> Tensor:  # (B, 1, D, H, W) -> (B, 1, d, h, w)
        """Score every patch: towards 1 where it looks real."""
        return self.network(volume)[-1]
