"""Decoding in tiles equals decoding at once."""

import pytest
import torch
from torch import nn

from brainlapse.networks.autoencoders import build_autoencoder
from brainlapse.networks.settings import NetworkSettings
from brainlapse.training.encoding.tiles import decode_in_tiles, tile_windows

NETWORKS = {  # the radius of the decoder's receptive field [latent elements]
    "s2d": ({"family": "s2d", "channels": [8, 16], "residual_blocks": 1, "norm_groups": 4}, 6),
    "kl": ({"family": "kl", "channels": [4, 8], "residual_blocks": 1, "norm_groups": 2}, 10),
}


def network(name):
    torch.manual_seed(3)
    model = build_autoencoder(NetworkSettings.model_validate(NETWORKS[name][0]), (32, 32, 32))
    for weights in model.parameters():
        weights.data += 0.1 * torch.randn_like(weights)  # fresh ones are zero at the seams
    return model.eval().requires_grad_(False)


@pytest.mark.parametrize("name", NETWORKS)
def test_tiles_with_the_whole_receptive_field_in_view_equal_the_whole(name):
    model = network(name)
    torch.manual_seed(4)
    latent = torch.randn(1, 4, 18, 3, 2)
    latent[:, :, :6] *= 0.01  # like background: its own statistics would stretch it
    whole = model.decode(latent)
    scale = whole.std()
    tiled = decode_in_tiles(model, latent, tile=4, overlap=NETWORKS[name][1])
    assert (tiled - whole).abs().max() < 1e-5 * scale
    assert (decode_in_tiles(model, latent, 4, 1) - whole).abs().max() > 1e-3 * scale
    torch.testing.assert_close(model.decode(latent), whole)  # no hook stays behind


def test_statistics_of_the_tile_alone_would_be_wrong():
    model = network("s2d")
    latent = torch.randn(1, 4, 18, 3, 2, generator=torch.Generator().manual_seed(4))
    latent[:, :, :6] *= 0.01
    own = model.decode(latent[:, :, :12])[:, :, : 4 * 8]  # 8 elements in view beyond the tile
    whole = model.decode(latent)[:, :, : 4 * 8]
    assert (own - whole).abs().max() > 1e-2 * whole.std()


def test_tiles_cover_the_latent_once():
    count = torch.zeros(7, 5, 4)
    for seen, core, inner in tile_windows((7, 5, 4), tile=3, overlap=2):
        count[core] += 1
        assert all(whole.start + part.start == own.start
                   for whole, part, own in zip(seen, inner, core, strict=True))  # fmt: skip
    assert (count == 1).all()


@pytest.mark.parametrize("layer", [nn.Linear(2, 2), nn.Softmax(dim=1)])
def test_networks_that_look_at_the_whole_volume_are_refused(layer):
    model = network("s2d")
    model.decoder.append(layer)
    with pytest.raises(ValueError, match=rf"decode_tile: expected .* found {type(layer).__name__}"):
        decode_in_tiles(model, torch.zeros(1, 4, 4, 4, 4), 2, 1)
