"""Walks along components, and the job that decodes them."""

import numpy as np
import pandas as pd
import pytest
import torch

from brainlapse.analysis.pca import fit_components, pack_components
from brainlapse.analysis.settings import AnalysisSettings
from brainlapse.analysis.walks import score_spread, walk_latents
from brainlapse.images import load_volume
from brainlapse.latents import read_latents, write_latents
from brainlapse.runtime import read_table
from brainlapse.training.model import trained
from brainlapse.training.principal import linear_autoencoder, principal_components
from brainlapse.training.settings import AutoencoderSettings
from tests.unit.analysis.test_pca import cohort
from tests.unit.figures.run_scripts import run_script

SPACE = {"voxel_mm": 6.0, "shape": [16, 16, 16]}
SPLITS = ["train"] * 8 + ["test"] * 4


@pytest.fixture
def latents():
    return np.random.default_rng(0).normal(size=(12, 2, 3, 3, 3)).astype(np.float32)


def test_ends_lie_that_many_deviations_of_training_scores_from_the_mean(latents):
    index = cohort(SPLITS)
    components = fit_components(latents, index, 5, seed=0)
    walk = walk_latents(latents, index, components, wanted=2, sd=2.0)
    assert list(walk) == ["mean", "pc1_low", "pc1_high", "pc2_low", "pc2_high"]
    scores = components.project(latents)
    np.testing.assert_allclose(walk["mean"], latents[:8].reshape(8, -1).mean(axis=0), atol=1e-6)
    for name, sign, axis in (("pc1_low", -1, 0), ("pc1_high", 1, 0), ("pc2_high", 1, 1)):
        moved = components.project(walk[name][None])[0]
        expected = np.zeros(5)
        expected[axis] = sign * 2 * scores[:8, axis].std(ddof=1)
        np.testing.assert_allclose(moved, expected, atol=1e-4)


def test_scans_held_out_don_t_move_a_walk(latents):
    index = cohort(SPLITS)
    before = walk_latents(latents, index, fit_components(latents, index, 3, 0), 3, 2.0)
    latents[8:] += 10
    after = walk_latents(latents, index, fit_components(latents, index, 3, 0), 3, 2.0)
    np.testing.assert_array_equal(before["pc3_high"], after["pc3_high"])


def test_without_training_scans_the_spread_is_that_of_all_unflagged(latents):
    components = fit_components(latents, cohort(SPLITS), 3, seed=0)
    index = cohort(["apply"] * 12).assign(flagged=[True] + [False] * 11)
    expected = components.project(latents)[1:].std(axis=0, ddof=1)
    np.testing.assert_allclose(score_spread(latents, index, components), expected, rtol=1e-5)


@pytest.fixture
def run(tmp_path):
    """A run with a linear autoencoder, whose patients have a bright corner."""
    random = np.random.default_rng(1)
    patient = np.arange(40) % 2 == 1
    volumes = random.uniform(0.4, 0.5, (40, 16, 16, 16)).astype(np.float32)
    volumes[patient, :4, :4, :4] += 0.2
    settings = AutoencoderSettings.model_validate({"network": {"family": "pca", "latent_size": 6}})
    model = linear_autoencoder(principal_components(volumes, 6), settings, (16, 16, 16))
    folder = tmp_path / "autoencoder/small"
    trained.save_weights(folder / "model.safetensors", model.state_dict())
    card = {"settings": settings.model_dump(mode="json"), "grid": SPACE, "contract": {}}
    card["latent_shape"] = [6, 1, 1, 1]
    trained.save_card(folder / "config.json", card)
    mean = model.encode(torch.from_numpy(volumes[:, None]))[0].numpy()
    index = cohort(["train"] * 30 + ["test"] * 10)
    index["diagnosis"] = np.where(patient, "patient", "control")
    latents = tmp_path / "latents/small"
    write_latents(latents / "latents.npz", latents / "index.tsv", mean, mean, index)
    return tmp_path


def decode(root, known=(), tasks=("diagnosis",)):
    out = root / "analysis/small"
    run_script(
        "decode_directions",
        input={
            "latents": root / "latents/small/latents.npz",
            "weights": root / "autoencoder/small/model.safetensors",
            "known": known,
        },
        output={
            "walks": out / "walks",
            "directions": out / "directions",
            "table": out / "directions.tsv",
        },
        params={
            "tasks": [{"name": t, "target": t, "kind": "classification"} for t in tasks],
            "settings": AnalysisSettings(walk_components=2).model_dump(),
            "decoding": {"batch_size": 2},
            "space": SPACE,
            "seed": 0,
            "folder_name": "analysis/small/directions",
        },
    )
    return out


def test_the_job_decodes_walks_and_the_map_of_a_task(run):
    out = decode(run, tasks=("diagnosis", "height"))
    names = {path.name for path in (out / "walks").iterdir()}
    assert names == {f"{n}.nii.gz" for n in ("mean", "pc1_low", "pc1_high", "pc2_low", "pc2_high")}
    low, mean, high = (
        load_volume(out / f"walks/{name}.nii.gz")[0] for name in ("pc1_low", "mean", "pc1_high")
    )
    np.testing.assert_allclose((low + high) / 2, mean, atol=1e-4)  # a linear decoder
    found = load_volume(out / "directions/diagnosis.nii.gz")[0]
    corner = found[:4, :4, :4].mean()
    assert corner > 10 * abs(found[8:]).mean()
    table = read_table(out / "directions.tsv")
    assert table["toward"].tolist()[0] == "patient"
    assert table["file"].tolist()[0] == "analysis/small/directions/diagnosis.nii.gz"
    assert pd.isna(table["file"][1])
    assert "no column 'height'" in table["note"][1]


def test_a_run_without_training_scans_walks_along_what_came_with_the_bundle(run):
    folder = run / "latents/small"
    mean, index = read_latents(folder)
    components = fit_components(mean, index, 3, seed=0)
    (run / "components.safetensors").write_bytes(pack_components(components))
    applied = index.assign(split="apply")
    write_latents(folder / "latents.npz", folder / "index.tsv", mean, mean, applied)
    out = decode(run, known=[run / "components.safetensors"])
    assert (out / "walks/pc2_high.nii.gz").exists()
