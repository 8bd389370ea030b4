"""Every family goes the whole way: fitted, saved, loaded, encoded, decoded, reduced, forecast."""

import numpy as np
import pandas as pd
import pytest
import torch

from brainlapse.analysis.pca import reduce_latents
from brainlapse.figures.models.training import plot_history, summarise
from brainlapse.latents import read_latents, write_latents
from brainlapse.space import SpaceSettings
from brainlapse.training import principal
from brainlapse.training.encoding import passes as encoding
from brainlapse.training.loop import loop
from brainlapse.training.model import trained as model
from brainlapse.training.report import history_table, model_card
from brainlapse.training.resume.checkpoint import ResumeFolder
from brainlapse.training.settings import AutoencoderSettings, EncodingSettings

CPU = torch.device("cpu")
CONTRACT = {"mask": {"method": "deepbet"}}
FAMILIES = {
    "s2d": ({"channels": [8]}, (4, 4, 4, 4)),
    "kl": ({"channels": [8, 8], "latent_channels": 2}, (2, 8, 8, 8)),
    "vector": ({"channels": [8, 16], "latent_size": 128}, (128, 1, 1, 1)),
    "pca": ({"latent_size": 128}, (4, 1, 1, 1)),
}


def make_model(family, data, settings, folder):
    network, resume = {"family": family, **FAMILIES[family][0]}, ResumeFolder(folder, "m", {}, 60)
    if family == "pca":
        settings = AutoencoderSettings.model_validate({"network": network})
        state = principal.fit(settings, data, resume)
    else:
        changed = {"network": {**network, "residual_blocks": 1}}
        settings = AutoencoderSettings.model_validate(settings.model_dump() | changed)
        state = loop.train(settings, data, 0, resume, CPU)
    space = SpaceSettings(voxel_mm=2.5, shape=(16, 16, 16))
    model.save_weights(folder / "model.safetensors", state.best.weights)
    model.save_card(
        folder / "config.json", model_card(state, settings, space, CONTRACT, 0, "float32")
    )
    return state


@pytest.mark.parametrize("family", FAMILIES)
def test_latents_of_every_family_serve_the_later_stages(family, data, settings, tmp_path):
    make_model(family, data, settings, tmp_path)
    shape = FAMILIES[family][1]
    assert model.read_card(tmp_path)["latent_shape"] == list(shape)
    loaded = encoding.load_model(tmp_path)
    volumes = np.concatenate([data.train.volumes, data.validation.volumes]).astype(np.float32)
    pairs = encoding.encode_volumes(loaded, iter(volumes), EncodingSettings(batch_size=3), CPU)
    mean, log_variance = (np.stack(part) for part in zip(*pairs, strict=True))
    assert mean.shape == (7, *shape)
    index = pd.DataFrame({"dataset": "made", "scan": [f"sub-{n}" for n in range(7)]})
    index = index.assign(split=["train"] * 5 + ["validation"] * 2, qc_flags="")
    write_latents(tmp_path / "latents.npz", tmp_path / "index.tsv", mean, log_variance, index)
    stored, read = read_latents(tmp_path)
    scores, variance = reduce_latents(stored, read, 3, 0)
    assert scores[["pc1", "pc2", "pc3"]].notna().all(axis=None)
    assert variance["explained_variance_ratio"].iloc[0] > 0
    forecast = 2 * stored[1] - stored[0]  # a line through two visits, continued
    decoded = next(
        encoding.decode_latents(loaded, forecast[None], EncodingSettings(batch_size=2), CPU)
    )
    assert decoded.shape == (16, 16, 16)
    assert np.isfinite(decoded).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_history_and_card_of_every_family_can_be_reported(family, data, settings, tmp_path):
    state = make_model(family, data, settings, tmp_path)
    history = history_table(state)
    assert history["validation_l1"].notna().any()
    plot_history(history)
    assert ("closed form" in summarise(history)) == (family == "pca")
    card = model.read_card(tmp_path)
    assert card["selection"]["value"] == history["validation_l1"].min()
    assert card["parameters"] == sum(w.numel() for w in state.best.weights.values())


def test_pca_of_linear_latents_is_pca_of_the_images(data, settings, tmp_path):
    state = make_model("pca", data, settings, tmp_path)
    mean = state.model.encode(torch.from_numpy(data.train.volumes[:, None]).float())[0].numpy()
    index = pd.DataFrame({"split": ["train"] * 5, "qc_flags": ""})
    _, variance = reduce_latents(mean, index, 4, 0)
    found = principal.principal_components(data.train.volumes, 4)
    expected = found.variances / found.total_variance
    np.testing.assert_allclose(variance["explained_variance_ratio"], expected, rtol=1e-4)
