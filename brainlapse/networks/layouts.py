"""Group normalisation of channels-last maps on a GPU, without leaving that layout.

torch's own copies channels-last maps to its other layout and back, computes in float32 whatever
the run's precision, and takes one block of threads per group: at 1 mm, on an H100, two thirds of a
training step of AutoencoderKL (docs/autoencoders.md).
"""

import torch
from torch import Tensor, nn


class LayoutGroupNorm(nn.GroupNorm):
    """`nn.GroupNorm` whose result keeps the layout and precision of its input on a GPU.

    Statistics are float32. Elsewhere it is `nn.GroupNorm`.
    """

    def forward(self, maps: Tensor) -> Tensor:
        """Normalise maps (B, C, D, H, W)."""
        if maps.device.type != "cuda":
            return super().forward(maps)
        with torch.autocast("cuda", enabled=False):
            return normalise_groups(maps, self.num_groups, self.weight, self.bias, self.eps)


def normalise_groups(maps: Tensor, groups: int, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    """Group normalisation (Wu and He 2018) as one scale and one shift per channel.

    Parameters
    ----------
    maps
        (B, C, D, H, W), any layout, which the result keeps.
    weight, bias
        (C,) float32.
    """
    batch, channels = maps.shape[:2]
    grouped = maps.float().unflatten(1, (groups, channels // groups))  # (B, G, C / G, D, H, W)
    variance, mean = torch.var_mean(grouped, dim=(2, 3, 4, 5), unbiased=False)  # (B, G)
    scale = (variance + eps).rsqrt()[:, :, None] * weight.view(1, groups, -1)
    shift = bias.view(1, groups, -1) - mean[:, :, None] * scale
    scale, shift = (
        part.reshape(batch, channels, 1, 1, 1).to(maps.dtype) for part in (scale, shift)
    )
    return torch.addcmul(shift, maps, scale)


def keep_layouts(network: nn.Module) -> None:
    """Make every `nn.GroupNorm` of a network a `LayoutGroupNorm`, in place."""
    for layer in network.modules():
        if type(layer) is nn.GroupNorm:
            layer.__class__ = LayoutGroupNorm
