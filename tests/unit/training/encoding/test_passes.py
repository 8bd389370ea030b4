"""Models on disk, encoding and decoding."""

import numpy as np
import pytest
import torch

from brainlapse.damage import DamagedFile
from brainlapse.networks.autoencoders import build_autoencoder
from brainlapse.space import SpaceSettings
from brainlapse.training.encoding import passes as encoding
from brainlapse.training.loop import loop
from brainlapse.training.model import trained as model
from brainlapse.training.report import history_table, model_card
from brainlapse.training.resume.checkpoint import ResumeFolder
from brainlapse.training.settings import EncodingSettings

CPU = torch.device("cpu")
CONTRACT = {
    "grid": {"shape": [16, 16, 16]},
    "mask": {"method": "deepbet"},
    "versions": {"torch": "1"},
}


@pytest.fixture
def folder(settings, data, tmp_path):
    state = loop.train(settings, data, 0, ResumeFolder(tmp_path, "m", {}, 60), CPU)
    space = SpaceSettings(voxel_mm=2.5, shape=(16, 16, 16))
    model.save_weights(tmp_path / "model.safetensors", state.best.weights)
    model.save_card(tmp_path / "config.json", model_card(state, settings, space, CONTRACT, 0))
    assert history_table(state).columns[:4].tolist() == ["epoch", "step", "seconds", "lr"]
    return tmp_path


def encode(model, volumes, size):
    settings = EncodingSettings(batch_size=size)
    latents = encoding.encode_volumes(model, iter(volumes), settings, CPU)
    return tuple(map(np.stack, zip(*latents, strict=True)))


def test_a_saved_model_gives_the_same_latents_whatever_the_batch(folder, data):
    loaded = encoding.load_model(folder)
    volumes = data.train.volumes.astype(np.float32)
    mean, log_variance = encode(loaded, volumes, 2)
    assert mean.shape == log_variance.shape == (5, 4, 2, 2, 2)
    single, _ = encode(loaded, volumes[3:4], 1)
    np.testing.assert_allclose(single[0], mean[3], atol=1e-5)
    decoded = list(encoding.decode_latents(loaded, mean, EncodingSettings(batch_size=2), CPU))
    assert len(decoded) == 5
    assert decoded[0].shape == (16, 16, 16)
    assert min(map(np.min, decoded)) >= 0
    assert max(map(np.max, decoded)) <= 1


def test_latents_depend_on_the_scan_alone_to_the_last_bit(folder, data):
    loaded = encoding.load_model(folder)
    volumes = data.train.volumes.astype(np.float32)
    together, _ = encode(loaded, volumes, 4)
    for row in range(5):
        alone, _ = encode(loaded, volumes[row : row + 1], 4)
        np.testing.assert_array_equal(alone[0], together[row])
    np.testing.assert_array_equal(encode(loaded, volumes[::-1], 4)[0], together[::-1])


def test_tiles_decode_the_same_volumes(folder, data):
    loaded = encoding.load_model(folder)
    mean, _ = encode(loaded, data.train.volumes.astype(np.float32), 4)
    tiles = EncodingSettings(decode_tile=2)  # overlap 8: everything is in view
    whole, tiled = (
        np.stack(list(encoding.decode_latents(loaded, mean, settings, CPU)))
        for settings in (EncodingSettings(), tiles)
    )
    np.testing.assert_allclose(tiled, whole, atol=1e-5)


def test_a_cpu_always_takes_single_precision(folder, data):
    loaded = encoding.load_model(folder)
    volumes = data.train.volumes.astype(np.float32)
    half = EncodingSettings(batch_size=4, precision="bfloat16")
    mean = np.stack([mean for mean, _ in encoding.encode_volumes(loaded, volumes, half, CPU)])
    np.testing.assert_array_equal(mean, encode(loaded, volumes, 4)[0])


def test_the_card_says_how_the_model_came_about(folder):
    card = model.read_card(folder)
    assert card["latent_shape"] == [4, 2, 2, 2]
    assert card["selection"]["split"] == "validation"
    assert card["grid"]["voxel_mm"] == 2.5
    assert card["steps"] == 8


def test_scans_of_another_contract_are_refused_by_name(folder):
    card = model.read_card(folder)
    model.check_contract(card, {**CONTRACT, "versions": {"torch": "2"}}, folder)
    with pytest.raises(model.ContractMismatch, match=r"mask: expected .*deepbet.*found .*other"):
        model.check_contract(card, {**CONTRACT, "mask": {"method": "other"}}, folder)


def test_weights_of_another_network_are_refused(folder, settings):
    wide = settings.network.model_copy(update={"channels": (16, 16)})
    weights = build_autoencoder(wide, (16, 16, 16)).state_dict()
    model.save_weights(folder / "model.safetensors", weights)
    with pytest.raises(DamagedFile, match=r"don't fit config\.json"):
        encoding.load_model(folder)
