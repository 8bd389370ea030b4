"""Heads travel in a bundle; whoever encodes, or MONAI, never meets them."""

import shutil

import torch
from safetensors.torch import load_file

from brainlapse.bundle.export import Request, export_bundle
from brainlapse.bundle.monai import export_monai
from brainlapse.bundle.reading import check_example, read_bundle
from brainlapse.networks.interface import without_heads
from brainlapse.training.model import trained


def test_heads_go_with_a_bundle_but_not_with_monai(results, tmp_path):
    root = tmp_path / "results"
    shutil.copytree(results, root)
    folder = root / "autoencoder/small"
    own = load_file(folder / "model.safetensors")
    head = {"heads.layers.task-sex.weight": torch.ones(2, 256), "heads.scale": torch.ones(())}
    trained.save_weights(folder / "model.safetensors", {**own, **head})
    card = {**trained.read_card(folder), "heads": [{"task": "sex", "classes": ["F", "M"]}]}
    trained.save_card(folder / "config.json", card)
    export_bundle(Request(root, "small"), tmp_path / "bundle")
    bundle = read_bundle(tmp_path / "bundle")
    assert bundle.card["heads"] == card["heads"]
    assert set(bundle.weights) == {*own, *head}
    assert check_example(bundle, torch.device("cpu")) < 1e-4
    export_monai(tmp_path / "bundle", tmp_path / "monai")
    alone = load_file(tmp_path / "monai/models/model.safetensors")
    assert alone.keys() == without_heads(bundle.weights).keys() == own.keys()
    assert all(torch.equal(alone[name], own[name]) for name in own)
