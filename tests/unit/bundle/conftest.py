"""A finished run, as small as an export needs it."""

import numpy as np
import pandas as pd
import pytest
import torch

from brainlapse.analysis.reconstructions import summarise_reconstructions
from brainlapse.bundle.export import Request, export_bundle
from brainlapse.images import save_volume
from brainlapse.latents import write_latents
from brainlapse.networks.autoencoders import build_autoencoder
from brainlapse.preprocessing.quality.collection import describe_contract
from brainlapse.preprocessing.settings import PreprocessSettings
from brainlapse.runtime import write_table
from brainlapse.space import SpaceSettings, mni_grid
from brainlapse.training.model import trained as model
from brainlapse.training.settings import AutoencoderSettings

SPACE = SpaceSettings(voxel_mm=6.0, shape=(32, 32, 32))
PREPROCESS = PreprocessSettings.model_validate({"registration": {"voxel_mm": 3.0}})
SETTINGS = AutoencoderSettings.model_validate({"network": {"channels": [8], "residual_blocks": 1}})


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    root = tmp_path_factory.mktemp("finished") / "results"
    torch.manual_seed(0)
    network = build_autoencoder(SETTINGS.network, SPACE.shape)
    for weights in network.parameters():
        weights.data += 0.05 * torch.randn_like(weights)
    folder = root / "autoencoder/small"
    model.save_weights(folder / "model.safetensors", network.state_dict())
    card = {
        "settings": SETTINGS.model_dump(mode="json"),
        "grid": {"shape": list(SPACE.shape), "voxel_mm": SPACE.voxel_mm},
        "latent_shape": list(SETTINGS.network.latent_shape(SPACE.shape)),
        "contract": describe_contract(SPACE, PREPROCESS),
        "seed": 7,
        "versions": {"torch": torch.__version__, "brainlapse": "0.1"},
    }
    model.save_card(folder / "config.json", card)
    write_table(folder / "history.tsv", pd.DataFrame({"epoch": [0, 1], "train_l1": [0.3, 0.1]}))
    index = pd.DataFrame(
        {
            "dataset": ["ixi"] * 4 + ["clinic"],
            "subject": ["sub-1", "sub-1", "sub-2", "sub-3", "sub-1"],
            "session": ["ses-1", "ses-2", None, None, None],
            "scan": ["sub-1_ses-1", "sub-1_ses-2", "sub-2", "sub-3", "sub-1"],
            "diagnosis": "control",
            "role": ["fit"] * 4 + ["apply"],
            "split": ["train"] * 3 + ["test", "apply"],
            "flagged": [False, False, True, False, False],
        }
    )
    index["scan_path"] = index["dataset"] + "/" + index["subject"] + "/" + index["scan"]
    latents = np.random.default_rng(1).normal(size=(5, *card["latent_shape"]))
    folder = root / "latents/small"
    write_latents(folder / "latents.npz", folder / "index.tsv", latents, latents, index)
    folder = root / "autoencoder/small"
    scores = index[["dataset", "subject", "session", "scan", "split"]].assign(ssim=0.8123, mae=0.1)
    write_table(folder / "reconstruction_summary.tsv", summarise_reconstructions(scores, index))
    brain = np.random.default_rng(0).random(SPACE.shape, dtype=np.float32)
    path = root / f"preprocess/{index['scan_path'][3]}_space-MNI_desc-brain_T1w.nii.gz"
    save_volume(path, brain, mni_grid(SPACE).affine)
    return root


@pytest.fixture(scope="session")
def exported(results, tmp_path_factory):
    """One bundle as a folder and as a zip file; not to be changed."""
    parent = tmp_path_factory.mktemp("bundles")
    for name in ("small", "small.zip"):
        export_bundle(Request(results, "small", licence="CC BY 4.0"), parent / name)
    return parent
