"""Convolutions of maps hardly larger than their kernel, on a CPU: never in bfloat16.

oneDNN 3 (in torch 2.13) computes the gradient of a convolution's weights wrongly in bfloat16 on
processors with AVX-512 but without AMX, and may write outside its memory, where a map has few
voxels along an axis: 3^3 kernels on 2^3 voxels give gradients that have nothing to do with the
true ones, or infinite. Found for maps no larger than the kernel (`tests/unit/networks/
test_small_maps.py`); such maps cost next to nothing, so they are computed in float32 everywhere.
"""

import torch
from torch import Tensor, nn


class CarefulConv3d(nn.Conv3d):
    """`nn.Conv3d` in float32 on a CPU where the map is no larger than the kernel."""

    def forward(self, maps: Tensor) -> Tensor:
        """Convolve maps (B, C, D, H, W)."""
        if maps.device.type == "cpu" and min(maps.shape[2:]) <= max(self.kernel_size):
            with torch.autocast("cpu", enabled=False):
                return super().forward(maps.float())
        return super().forward(maps)


def guard_small_maps(network: nn.Module) -> None:
    """Make every `nn.Conv3d` of a network a `CarefulConv3d`, in place; weights stay as they are."""
    for layer in network.modules():
        if type(layer) is nn.Conv3d and max(layer.kernel_size) > 1:
            layer.__class__ = CarefulConv3d
