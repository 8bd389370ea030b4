"""Training from the weights of another model."""

from pathlib import Path

import pytest
import torch
import yaml
from pydantic import ValidationError

from brainlapse.networks.settings import NetworkSettings
from brainlapse.training.loop import loop
from brainlapse.training.model import trained as model
from brainlapse.training.model.start_settings import start_digest
from brainlapse.training.model.state import new_state
from brainlapse.training.resume.checkpoint import ResumeFolder, describe_run
from brainlapse.training.settings import AutoencoderSettings

CPU = torch.device("cpu")
SHAPE = (16, 16, 16)


@pytest.fixture
def taught(settings, data, tmp_path):
    """A trained model's folder."""
    folder = tmp_path / "taught"
    state = loop.train(settings, data, 0, ResumeFolder(tmp_path / "r", "m", {}, 60), CPU)
    model.save_weights(folder / "model.safetensors", state.best.weights)
    card = {"settings": settings.model_dump(mode="json"), "grid": {"shape": SHAPE}, "contract": {}}
    model.save_card(folder / "config.json", card)
    return folder


def start_from(settings, folder):
    return AutoencoderSettings.model_validate({**settings.model_dump(), "start": str(folder)})


def test_the_first_weights_are_those_of_the_other_model(settings, taught):
    state = new_state(start_from(settings, taught), SHAPE, 0, CPU)
    theirs = model.load_model(taught).state_dict()
    for name, weights in state.model.state_dict().items():
        assert torch.equal(weights, theirs[name]), name


def test_a_warm_start_is_as_good_as_the_model_it_starts_from(settings, data, taught):
    theirs = model.load_model(taught)
    warm = new_state(start_from(settings, taught), SHAPE, 1, CPU).model.eval()
    cold = new_state(settings, SHAPE, 1, CPU).model.eval()
    volume = torch.from_numpy(data.validation.volumes).float()[:, None]
    with torch.no_grad():
        assert torch.equal(warm(volume), theirs(volume))
        assert not torch.equal(warm(volume), cold(volume))


def test_another_network_is_refused_with_what_differs(settings, taught):
    network = NetworkSettings.model_validate({"channels": [8], "residual_blocks": 1})
    wrong = settings.model_copy(update={"network": network})
    with pytest.raises(ValidationError, match=r"start: .*channels: \[8, 16\], not \[8\]"):
        start_from(wrong, taught)


def test_a_folder_without_a_model_is_refused(settings, tmp_path):
    with pytest.raises(ValidationError, match=r"start: expected model\.safetensors in the folder"):
        start_from(settings, tmp_path)


def test_other_weights_to_start_from_make_another_run(settings, taught):
    def identity():
        chosen = start_from(settings, taught).model_dump(mode="json")
        return describe_run(chosen, {}, [], 0, {}, "cpu", "float32", 1)

    before = identity()
    assert before["start"] == start_digest(str(taught))
    weights = model.load_model(taught).state_dict()
    weights = {name: value + 1 for name, value in weights.items()}
    model.save_weights(taught / "model.safetensors", weights)
    assert identity()["start"] != before["start"]


def test_pca_starts_from_nothing():
    with pytest.raises(ValidationError, match="start"):
        AutoencoderSettings.model_validate({"network": {"family": "pca"}, "start": "pretrained"})


def test_the_shipped_weights_fit_the_shipped_config():
    config = yaml.safe_load(Path(__file__).parents[3].joinpath("config.yaml").read_text())
    chosen = next(iter(config["autoencoders"].values()))
    assert chosen["start"] == "pretrained"
    state = new_state(AutoencoderSettings.model_validate(chosen), (64, 80, 64), 0, CPU)
    assert all(torch.isfinite(weights).all() for weights in state.model.parameters())
