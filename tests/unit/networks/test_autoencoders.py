"""Shapes, interface and settings of the autoencoder networks."""

import pytest
import torch
from pydantic import ValidationError

from brainlapse.networks.autoencoders import build_autoencoder
from brainlapse.networks.blocks import depth_to_space, space_to_depth
from brainlapse.networks.settings import NetworkSettings
from brainlapse.networks.space_to_depth import block_cosines

SMALL = {
    "s2d": NetworkSettings(channels=(8, 16), residual_blocks=1),
    "kl": NetworkSettings(family="kl", channels=(8, 8, 16), residual_blocks=1),
}


@pytest.mark.parametrize("family", SMALL)
def test_encode_and_decode_have_the_promised_shapes(family):
    settings = SMALL[family]
    model = build_autoencoder(settings)
    volume = torch.rand(2, 1, 16, 24, 16)
    mean, log_variance = model.encode(volume)
    assert mean.shape == log_variance.shape == (2, *settings.latent_shape((16, 24, 16)))
    assert model.decode(mean).shape == volume.shape
    assert model.downsampling == settings.downsampling


@pytest.mark.parametrize("family", SMALL)
def test_every_weight_of_encoder_and_decoder_learns(family):
    torch.manual_seed(0)
    model = build_autoencoder(SMALL[family])
    optimiser = torch.optim.SGD(model.parameters(), 0.01)
    for _ in range(3):  # weights that start at zero pass gradients on only after a step
        mean, log_variance = model.encode(torch.rand(1, 1, 16, 16, 16))
        optimiser.zero_grad()
        (model.decode(mean).square().mean() + log_variance.square().mean()).backward()
        optimiser.step()
    assert all(weights.grad.abs().sum() > 0 for weights in model.parameters())


def test_depth_to_space_undoes_space_to_depth():
    volume = torch.rand(2, 3, 8, 12, 4)
    stacked = space_to_depth(volume, 4)
    assert stacked.shape == (2, 3 * 64, 2, 3, 1)
    assert torch.equal(depth_to_space(stacked, 4), volume)


def test_a_block_of_voxels_stays_where_it_was():
    volume = torch.zeros(1, 1, 8, 8, 8)
    volume[0, 0, 4:, :4, 4:] = 1
    stacked = space_to_depth(volume, 4)
    assert torch.equal(stacked[0, :, 1, 0, 1], torch.ones(64))
    assert stacked.sum() == 64


@pytest.mark.parametrize(
    ("family", "channels", "factor"),
    [("s2d", (48, 96), 8), ("s2d", (48,), 4), ("kl", (8, 16, 32, 32), 8), ("kl", (8, 8), 2)],
)
def test_downsampling_follows_from_the_levels(family, channels, factor):
    assert NetworkSettings(family=family, channels=channels).downsampling == factor


def test_each_family_brings_its_own_widths():
    assert NetworkSettings().channels == (48, 96)
    assert NetworkSettings(family="kl").downsampling == 8


def test_widths_that_the_groups_do_not_divide_are_refused():
    with pytest.raises(ValidationError, match="norm_groups: 8 must divide"):
        NetworkSettings(channels=(12, 16))


def test_block_cosines_are_orthonormal_and_begin_with_the_mean():
    waves = block_cosines(8, 20)
    torch.testing.assert_close(waves @ waves.T, torch.eye(20), atol=1e-5, rtol=0)
    torch.testing.assert_close(waves[0], torch.full((512,), 512**-0.5))


def test_a_fresh_s2d_network_already_carries_the_smooth_part_of_a_scan():
    model = build_autoencoder(SMALL["s2d"])
    slopes = torch.meshgrid(*[torch.linspace(0, 1, size) for size in (16, 24, 16)], indexing="ij")
    volume = (slopes[0] * slopes[1]).view(1, 1, 16, 24, 16)
    mean, log_variance = model.encode(volume)
    assert (model.decode(mean) - volume).abs().max() < 0.1
    assert (0.5 * log_variance).exp().max() < 0.1
