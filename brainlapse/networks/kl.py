"""The `kl` autoencoder: MONAI's AutoencoderKL, the model of MRExtrap (Kapoor et al.)."""

from monai.networks.nets.autoencoderkl import AEKLResBlock, AutoencoderKL
from torch import Tensor, nn

from brainlapse.networks.attention import SelfAttention
from brainlapse.networks.interface import (
    LOG_VARIANCE_LIMITS,
    Autoencoder,
    start_with_little_noise,
)
from brainlapse.networks.settings import NetworkSettings


class KlAutoencoder(Autoencoder):
    """AutoencoderKL (Rombach et al. 2022; Pinaya et al. 2022) behind the common interface."""

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__(settings.downsampling)
        levels = len(settings.channels)
        self.network = AutoencoderKL(
            spatial_dims=3,
            channels=settings.channels,
            num_res_blocks=(settings.residual_blocks,) * levels,
            attention_levels=(False,) * levels,
            latent_channels=settings.latent_channels,
            norm_num_groups=settings.norm_groups,
            with_encoder_nonlocal_attn=False,
            with_decoder_nonlocal_attn=False,
        )
        insert_attention(self.network.encoder, settings.attention, settings.norm_groups)
        insert_attention(self.network.decoder, settings.attention[::-1], settings.norm_groups)
        layer = self.network.quant_conv_log_sigma.conv
        assert isinstance(layer, nn.Module)
        start_with_little_noise(layer, settings.latent_channels)

    def encode(self, volume: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance, each (B, C, d, h, w), of volumes (B, 1, D, H, W)."""
        features = self.network.encoder(volume)
        log_variance = self.network.quant_conv_log_sigma(
            features
        )  # a log-variance in spite of its name
        return self.network.quant_conv_mu(features), log_variance.clamp(*LOG_VARIANCE_LIMITS)

    def decode(self, latent: Tensor) -> Tensor:
        """Volumes (B, 1, D, H, W) of latents (B, C, d, h, w)."""
        return self.network.decode(latent)


def insert_attention(half: nn.Module, attention: tuple[bool, ...], groups: int) -> None:
    """Put self-attention after the residual blocks of levels of an encoder or decoder.

    MONAI's own attention needs a further package, and memory that grows with the square of a
    level's elements.

    Parameters
    ----------
    attention
        One value per level, in the order of the blocks.
    """
    assert isinstance(half.blocks, nn.ModuleList)
    levels, blocks = iter(attention), list(half.blocks)
    half.blocks = nn.ModuleList()
    for block, following in zip(blocks, [*blocks[1:], None], strict=True):
        half.blocks.append(block)
        if not isinstance(block, AEKLResBlock) or isinstance(following, AEKLResBlock):
            continue
        if next(levels):
            half.blocks.append(SelfAttention(int(block.out_channels), groups))
