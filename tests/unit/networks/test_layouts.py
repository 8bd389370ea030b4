"""Group normalisation that keeps the layout is torch's, to rounding, gradients included."""

import pytest
import torch
from torch import nn

from brainlapse.networks.layouts import LayoutGroupNorm, keep_layouts, normalise_groups


def normalise(maps, layer, own):
    maps = maps.detach().requires_grad_()
    layer.zero_grad()
    if own:
        made = normalise_groups(maps, layer.num_groups, layer.weight, layer.bias, layer.eps)
    else:
        made = layer(maps)
    weights = torch.linspace(-1, 2, made.numel()).view(made.shape)
    (made.float() * weights).sum().backward()
    return made, maps.grad, layer.weight.grad.clone(), layer.bias.grad.clone()


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last_3d])
def test_values_and_gradients_are_those_of_torch(layout):
    torch.manual_seed(0)
    maps = (3 + torch.randn(2, 8, 5, 6, 7)).to(memory_format=layout)
    layer = nn.GroupNorm(4, 8)
    nn.init.normal_(layer.weight)
    nn.init.normal_(layer.bias)
    found, expected = normalise(maps, layer, own=True), normalise(maps, layer, own=False)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)
    assert found[0].is_contiguous(memory_format=layout)


def test_half_precision_stays_and_errs_by_its_rounding():
    torch.manual_seed(0)
    maps = torch.randn(2, 8, 6, 6, 6)
    layer = nn.GroupNorm(2, 8)
    made = normalise_groups(maps.bfloat16(), 2, layer.weight, layer.bias, layer.eps)
    assert made.dtype == torch.bfloat16
    torch.testing.assert_close(made.float(), layer(maps), atol=0.03, rtol=0.02)


def test_a_network_keeps_its_weights_and_its_results_on_a_cpu():
    network = nn.Sequential(nn.Conv3d(1, 4, 3), nn.GroupNorm(2, 4), nn.SiLU())
    maps = torch.randn(1, 1, 5, 5, 5)
    before, names = network(maps), list(network.state_dict())
    keep_layouts(network)
    assert type(network[1]) is LayoutGroupNorm
    assert list(network.state_dict()) == names
    assert torch.equal(network(maps), before)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU")
def test_on_a_gpu_the_layout_stays():
    layer = nn.GroupNorm(2, 8).cuda()
    maps = torch.randn(2, 8, 6, 6, 6, device="cuda").to(memory_format=torch.channels_last_3d)
    expected = layer(maps)
    keep_layouts(layer)
    assert layer(maps).is_contiguous(memory_format=torch.channels_last_3d)
    torch.testing.assert_close(layer(maps), expected, atol=1e-4, rtol=1e-4)
