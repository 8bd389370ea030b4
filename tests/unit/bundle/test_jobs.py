"""The jobs around a bundle, run as Snakemake runs them: take it, encode with it, refuse."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from brainlapse.bundle.reading import read_bundle
from brainlapse.images import save_volume
from brainlapse.latents import read_latents
from brainlapse.runtime import read_json, write_json
from brainlapse.space import SpaceSettings, mni_grid
from brainlapse.training.encoding.passes import encode_volumes, load_model
from brainlapse.training.model.trained import ContractMismatch
from brainlapse.training.settings import EncodingSettings

SCRIPTS = Path(__file__).parents[3] / "workflow/scripts"


def run_script(name, **parts):
    job = {key: SimpleNamespace(**value) for key, value in parts.items()}
    snakemake = SimpleNamespace(**job, log=[], threads=1)
    runpy.run_path(str(SCRIPTS / f"{name}.py"), init_globals={"snakemake": snakemake})


@pytest.fixture
def taken(exported, tmp_path):
    """The model of the bundle in the output folder of another run."""
    folder = tmp_path / "results/autoencoder/given"
    names = {"weights": "model.safetensors", "card": "config.json", "history": "history.tsv",
             "components": "components.safetensors", "rates": "rates.safetensors"}  # fmt: skip
    run_script(
        "load_bundle",
        params={"bundle": str(exported / "small.zip")},
        output={key: str(folder / name) for key, name in names.items()},
    )
    return folder


def encode(folder, contract, scans):
    root = folder.parents[1]
    write_json(root / "preprocess/contract.json", contract)
    rows = [
        {"dataset": "mine", "subject": f"sub-{n}", "session": None, "scan": f"sub-{n}",
         "split": "apply", "scan_path": f"mine/sub-{n}"}
        for n in range(len(scans))
    ]  # fmt: skip
    grid = mni_grid(SpaceSettings(voxel_mm=6.0, shape=(32, 32, 32)))
    paths = [str(root / f"preprocess/{row['scan_path']}.nii.gz") for row in rows]
    for path, volume in zip(paths, scans, strict=True):
        save_volume(path, volume, grid.affine)
    run_script(
        "encode_scans",
        input={
            "brains": paths,
            "contract": str(root / "preprocess/contract.json"),
            "weights": str(folder / "model.safetensors"),
        },
        output={
            "latents": str(root / "latents/given/latents.npz"),
            "index": str(root / "latents/given/index.tsv"),
        },
        params={
            "settings": {"batch_size": 2, "precision": "float32"},
            "scans": rows,
        },
        wildcards={"model": "given"},
    )
    mean, index = read_latents(root / "latents/given")
    with np.load(root / "latents/given/latents.npz") as stored:
        return mean, stored["log_variance"], index


def test_another_encodes_with_the_model_and_gets_the_same_latents(taken, exported):
    bundle = read_bundle(exported / "small.zip")
    noise = np.random.default_rng(5).random((32, 32, 32), dtype=np.float32)
    contract = {**bundle.contract, "versions": {"torch": "another"}}
    mean, log_variance, index = encode(taken, contract, [bundle.volume, noise, bundle.volume])
    np.testing.assert_allclose(mean[0], bundle.mean, atol=1e-4)
    np.testing.assert_allclose(log_variance[0], bundle.log_variance, atol=1e-4)
    np.testing.assert_array_equal(mean[2], mean[0])
    assert index["scan"].tolist() == ["sub-0", "sub-1", "sub-2"]
    model = load_model(taken)
    (alone,) = encode_volumes(model, [noise], EncodingSettings(batch_size=2), next(
        iter(model.parameters())).device)  # fmt: skip
    np.testing.assert_allclose(mean[1], alone[0], atol=1e-4)
    assert read_json(taken / "config.json")["bundle"]["name"] == "small.zip"


def test_scans_of_another_contract_are_refused_before_anything_is_encoded(taken, exported):
    contract = read_bundle(exported / "small.zip").contract
    with pytest.raises(ContractMismatch, match=r"bias: expected .* found"):
        encode(taken, {**contract, "bias": {"iterations": [1]}}, [])
    assert not (taken.parents[1] / "latents").exists()
