"""Models on disk, encoding and decoding."""

import numpy as np
import pytest
import torch

from brainlapse.networks.autoencoders import build_autoencoder
from brainlapse.space import SpaceSettings
from brainlapse.training import encoding, loop, model
from brainlapse.training.checkpoint import ResumeFolder
from brainlapse.training.report import history_table, model_card

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


def test_a_saved_model_gives_the_same_latents_whatever_the_batch(folder, data):
    loaded = encoding.load_model(folder)
    volumes = data.train.volumes.astype(np.float32)
    mean, log_variance = encoding.encode_volumes(loaded, iter(volumes), 2, CPU)
    assert mean.shape == log_variance.shape == (5, 4, 2, 2, 2)
    single, _ = encoding.encode_volumes(loaded, volumes[3:4], 1, CPU)
    np.testing.assert_allclose(single[0], mean[3], atol=1e-5)
    decoded = list(encoding.decode_latents(loaded, mean, 2, CPU))
    assert len(decoded) == 5
    assert decoded[0].shape == (16, 16, 16)
    assert min(map(np.min, decoded)) >= 0
    assert max(map(np.max, decoded)) <= 1


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
    with pytest.raises(ValueError, match=r"don't fit config\.json"):
        encoding.load_model(folder)
