"""Shapes, interface and settings of the autoencoder networks."""

import logging
import math

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy.fft import dctn, idctn

from brainlapse.networks.attention import SelfAttention
from brainlapse.networks.autoencoders import build_autoencoder, log_size
from brainlapse.networks.blocks import depth_to_space, space_to_depth
from brainlapse.networks.settings import NetworkSettings
from brainlapse.networks.space_to_depth import block_cosines
from brainlapse.networks.vector import CosinePath

GRID = (16, 24, 16)
SMALL = {
    "s2d": NetworkSettings(channels=(8, 16), residual_blocks=1),
    "kl": NetworkSettings(family="kl", channels=(8, 8, 16), residual_blocks=1),
    "vector": NetworkSettings(
        family="vector", channels=(8, 16), residual_blocks=1, latent_size=128
    ),
    "pca": NetworkSettings(family="pca", latent_size=3),
}
LEARNED = ["s2d", "kl", "vector"]


@pytest.mark.parametrize("family", SMALL)
def test_encode_and_decode_have_the_promised_shapes(family):
    settings = SMALL[family]
    model = build_autoencoder(settings, GRID)
    volume = torch.rand(2, 1, *GRID)
    mean, log_variance = model.encode(volume)
    assert mean.shape == log_variance.shape == (2, *settings.latent_shape(GRID))
    assert model.decode(mean).shape == volume.shape
    assert model.downsampling == settings.downsampling


@pytest.mark.parametrize("attention", [False, True])
@pytest.mark.parametrize("family", LEARNED)
def test_every_weight_of_encoder_and_decoder_learns(family, attention):
    torch.manual_seed(0)
    settings = SMALL[family].model_dump() | {"attention": attention}
    model = build_autoencoder(NetworkSettings.model_validate(settings), GRID)
    optimiser = torch.optim.SGD(model.parameters(), 0.01)
    for _ in range(3):  # weights that start at zero pass gradients on only after a step
        mean, log_variance = model.encode(torch.rand(1, 1, *GRID))
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
    [
        ("s2d", (48, 96), 8),
        ("s2d", (48,), 4),
        ("kl", (8, 16, 32, 32), 8),
        ("kl", (8, 8), 2),
        ("vector", (48, 96), 8),
        ("vector", (16, 32, 64), 16),
    ],
)
def test_downsampling_follows_from_the_levels(family, channels, factor):
    assert NetworkSettings(family=family, channels=channels).downsampling == factor


def test_each_family_brings_its_own_widths():
    assert NetworkSettings().channels == (48, 96)
    assert NetworkSettings(family="kl").downsampling == 8
    assert NetworkSettings(family="vector").channels == (48, 96)
    assert NetworkSettings(family="pca").channels == ()
    assert NetworkSettings(family="pca").downsampling == 1


def test_widths_that_the_groups_do_not_divide_are_refused():
    with pytest.raises(ValidationError, match="norm_groups: 8 must divide"):
        NetworkSettings(channels=(12, 16))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"family": "pca", "channels": (8,)}, "channels: acts on s2d, kl, vector, not on pca"),
        ({"family": "pca", "attention": True}, "attention: acts on s2d, kl, vector, not on pca"),
        ({"family": "vector", "latent_channels": 8}, "latent_channels: acts on s2d, kl, not on"),
        ({"family": "s2d", "latent_size": 128}, "latent_size: acts on vector, pca, not on s2d"),
        ({"family": "kl", "correction_channels": 8}, "correction_channels: acts on s2d, vector"),
        ({"family": "vector", "latent_size": 127}, "latent_size: expected 128 to 1024 .* 127"),
        ({"family": "vector", "latent_size": 1025}, "latent_size: expected 128 to 1024 .* 1025"),
        ({"channels": (8,) * 7}, "channels: expected 1 to 6 widths"),
        ({"channels": 8}, "channels"),
        ({"attention": (True,)}, "attention: expected true or false for each of the 2 levels"),
    ],
)
def test_settings_that_do_not_act_on_a_family_are_refused(settings, expected):
    with pytest.raises(ValidationError, match=expected):
        NetworkSettings.model_validate(settings)


@pytest.mark.parametrize("size", [128, 1024])
def test_the_latent_vector_may_have_128_to_1024_elements(size):
    settings = NetworkSettings(family="vector", latent_size=size)
    assert settings.latent_shape((64, 80, 64)) == (size, 1, 1, 1)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (False, (False, False)),
        ((), (False, False)),
        (True, (False, True)),
        ((True, False), (True, False)),
    ],
)
def test_attention_is_settable_for_every_level(given, expected):
    settings = NetworkSettings.model_validate({"channels": (8, 16), "attention": given})
    assert settings.attention == expected
    assert NetworkSettings.model_validate(settings.model_dump()) == settings


@pytest.mark.parametrize("family", LEARNED)
def test_attention_sits_at_the_levels_that_ask_for_it(family):
    plain = SMALL[family]
    first = plain.model_copy(update={"attention": (True, *plain.attention[1:])})
    names = {
        name
        for name, _ in build_autoencoder(first, GRID).named_parameters()
        if name not in dict(build_autoencoder(plain, GRID).named_parameters())
    }
    assert len({name.split(".")[0 if family != "kl" else 1] for name in names}) == 2  # both halves


def test_attention_gathers_what_a_softmax_of_products_weighs():
    torch.manual_seed(0)
    attention = SelfAttention(8, 2)
    torch.nn.init.normal_(attention.output.weight)
    features = torch.randn(1, 8, 2, 3, 2)
    rows = attention.norm(features)[0].flatten(1).T  # (12, 8)
    query, key, value = (rows @ attention.project.weight.T + attention.project.bias).split(8, 1)
    gathered = torch.softmax(query @ key.T / 8**0.5, dim=1) @ value
    change = (gathered @ attention.output.weight.T).T.reshape(features.shape)
    torch.testing.assert_close(attention(features), features + change)


def test_the_vector_mixes_the_whole_brain():
    torch.manual_seed(0)
    model = build_autoencoder(SMALL["vector"], GRID)
    volume = torch.rand(1, 1, *GRID)
    corner = volume.clone()
    corner[..., :2, :2, :2] += 1
    changed = (model.encode(corner)[0] - model.encode(volume)[0]).flatten()
    assert (changed[: math.prod((2, 3, 2))].abs() > 0).all()  # as many waves as coarsest elements


def test_cosine_waves_are_those_of_the_discrete_cosine_transform():
    random = np.random.default_rng(0)
    volume = random.random((16, 24, 16), dtype=np.float32)
    path = CosinePath((16, 24, 16), (2, 3, 2), 128)
    expected = dctn(volume, norm="ortho")[:2, :3, :2]
    found = path.encode(torch.from_numpy(volume)[None, None])[0].detach().numpy()
    gain = 4 / 8**1.5
    np.testing.assert_allclose(np.sort(found[:12] / gain), np.sort(expected.ravel()), rtol=1e-4)
    assert (found[12:] == 0).all()
    kept = np.zeros_like(volume)
    kept[:2, :3, :2] = expected
    blurred = path.decode(torch.from_numpy(found)[None])[0, 0].detach().numpy()
    np.testing.assert_allclose(blurred, idctn(kept, norm="ortho"), atol=1e-5)


def test_a_short_vector_keeps_the_longest_waves():
    path = CosinePath((64, 80, 64), (8, 10, 8), 128)
    orders = path.analysis.weight.argmax(dim=1).tolist()
    assert orders[:2] == [0, 8]  # none, then half a wave along the longest axis, the second
    lengths = [(n // 80 / 64) ** 2 + (n // 8 % 10 / 80) ** 2 + (n % 8 / 64) ** 2 for n in orders]
    np.testing.assert_allclose(lengths, sorted(lengths))
    assert len(set(orders)) == 128


def test_a_vector_network_refuses_a_grid_it_cannot_halve():
    with pytest.raises(ValueError, match=r"space\.shape: expected axes divisible by 8.*20"):
        build_autoencoder(SMALL["vector"], (16, 20, 16))


def test_the_number_of_parameters_is_logged(caplog):
    caplog.set_level(logging.INFO, "brainlapse")
    model = build_autoencoder(SMALL["vector"], GRID)
    log_size("vector", model)
    expected = sum(weights.numel() for weights in model.parameters())
    assert f"autoencoder vector: {expected:,} parameters" in caplog.text


def test_a_linear_latent_comes_back_from_its_volume():
    torch.manual_seed(0)
    model = build_autoencoder(SMALL["pca"], GRID)
    axes, _ = torch.linalg.qr(torch.randn(model.mean.numel(), 3))
    model.components.copy_(axes.T.reshape(3, *GRID))
    model.mean.copy_(torch.rand(GRID))
    model.scale.fill_(20.0)
    latent = torch.randn(2, 3, 1, 1, 1)
    found, log_variance = model.encode(model.decode(latent))
    torch.testing.assert_close(found, latent, atol=1e-4, rtol=0)
    assert (log_variance == -30).all()


def test_block_cosines_are_orthonormal_and_begin_with_the_mean():
    waves = block_cosines(8, 20)
    torch.testing.assert_close(waves @ waves.T, torch.eye(20), atol=1e-5, rtol=0)
    torch.testing.assert_close(waves[0], torch.full((512,), 512**-0.5))


def test_a_fresh_s2d_network_already_carries_the_smooth_part_of_a_scan():
    torch.manual_seed(0)
    model = build_autoencoder(SMALL["s2d"], GRID)
    slopes = torch.meshgrid(*[torch.linspace(0, 1, size) for size in (16, 24, 16)], indexing="ij")
    volume = (slopes[0] * slopes[1]).view(1, 1, 16, 24, 16)
    mean, log_variance = model.encode(volume)
    # the correction's fresh bias adds up to 0.05
    assert (model.decode(mean) - volume).abs().max() < 0.12
    assert (0.5 * log_variance).exp().max() < 0.1
