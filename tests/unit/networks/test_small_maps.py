"""Gradients in bfloat16 agree with float32 on maps of any size, the smallest included."""

import pytest
import torch
from torch import nn

from brainlapse.networks.small_maps import guard_small_maps


def gradients(layer, maps, mixed):
    layer.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
        made = layer(maps)
    weights = torch.linspace(0.5, 1.5, made.numel()).view(made.shape)
    (made.float() * weights).sum().backward()
    return layer.weight.grad.clone(), made


@pytest.mark.parametrize("shape", [(2, 2, 2), (2, 5, 6), (3, 3, 3), (4, 4, 4), (8, 10, 8)])
@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (4, 2)])
def test_gradients_in_bfloat16_are_those_of_float32(shape, kernel, stride):
    torch.manual_seed(0)
    layer = nn.Conv3d(32, 16, kernel, stride, padding=1)
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    guard_small_maps(layer)
    maps = torch.randn(2, 32, *shape)
    expected, _ = gradients(layer, maps, mixed=False)
    found, made = gradients(layer, maps, mixed=True)
    assert (found - expected).norm() < 0.02 * expected.norm()
    assert (made.dtype == torch.bfloat16) == (min(shape) > kernel)
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())


def test_kernels_of_one_voxel_and_other_layers_stay_as_they_are():
    network = nn.Sequential(nn.Conv3d(2, 3, 1), nn.ReLU(), nn.Linear(4, 4))
    guard_small_maps(network)
    assert [type(layer) for layer in network] == [nn.Conv3d, nn.ReLU, nn.Linear]
