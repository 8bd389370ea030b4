"""A bad configuration is named before any job; the page of settings is true."""

import copy
from pathlib import Path

import pytest
import yaml

from brainlapse.config import ConfigError, load_config
from brainlapse.config_docs import TARGET, render

ROOT = Path(__file__).parents[2]
SHIPPED = [ROOT / "config.yaml", *sorted((ROOT / "tests/config").glob("*.yaml"))]


@pytest.fixture
def raw():
    return yaml.safe_load((ROOT / "config.yaml").read_text())


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_configurations_are_valid_and_complete(path):
    config = load_config(yaml.safe_load(path.read_text()))
    assert load_config(copy.deepcopy(config)) == config
    assert config["preprocess"]["bias"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"sede": 1}, ["sede: unknown key", "value 1"]),
        ({"seed": -1}, ["seed:", "greater than or equal to 0", "found -1"]),
        ({"space": {"voxel_mm": 9}}, ["space.voxel_mm:", "less than or equal to 6", "found 9"]),
        ({"space": {"shape": [62, 80, 64]}}, ["space.shape", "divisible by 4", "[64, 80, 64]"]),
        (
            {"autoencoders": {"v": {"network": {"family": "vector", "channels": [8] * 5}}}},
            ["divisible by 64", "autoencoders.v.network", "[64, 128, 64]"],
        ),
        (
            {"autoencoders": {"v": {"network": {"family": "vector", "latent_size": 64}}}},
            ["autoencoders.v.network", "latent_size: expected 128 to 1024", "64"],
        ),
        (
            {"autoencoders": {"p": {"network": {"family": "pca"}, "training": {"steps": 5}}}},
            ["autoencoders.p", "training: family pca is fitted in closed form", "leave it out"],
        ),
        ({"datasets": {"a/b": {"bids": "x"}}}, ["datasets", "'a/b'", "letters, digits"]),
        ({"datasets": {"a": {"bids": "x", "role": "apply"}}}, ["none has role 'fit'"]),
        ({"datasets": {"a": {"role": "fit"}}}, ["datasets.a", "exactly one of bids"]),
        ({"datasets": {}}, ["datasets:", "at least 1"]),
        ({"output": "a/{b}"}, ["output", "without { }", "a/{b}"]),
        ({"output": "./"}, ["output: expected a folder of its own"]),
        ({"output": "/"}, ["output: expected a folder of its own"]),
        ({"output": " "}, ["output: expected a folder"]),
        ({"space": {"shape": [-64, 80, 64]}}, ["space.shape: expected three sizes from 16 to 512"]),
        ({"space": {"shape": [0, 80, 64]}}, ["space.shape: expected three sizes from 16 to 512"]),
        (
            {"preprocess": {"bias": {"iterations": [-1]}}},
            ["preprocess.bias.iterations: exp"],
        ),
        ({"autoencoders": {"real": {}}}, ["autoencoders.real: the results use this name"]),
        ({"datasets": {"all": {"bids": "x"}}}, ["datasets.all: the results use this name"]),
        (
            {"tasks": [{"name": "a", "target": "x", "kind": "regression", "datasets": ["no"]}]},
            ["tasks.0.datasets: expected some of datasets (demo), found 'no'"],
        ),
        ({"tasks": [{"name": "a", "target": "x", "kind": "guess"}]}, ["tasks.0.kind", "guess"]),
        (
            {"tasks": [{"name": "a", "target": "x", "kind": "regression"}] * 2},
            ["'a' is given twice"],
        ),
    ],
)
def test_faults_name_key_value_and_what_is_allowed(raw, change, expected):
    with pytest.raises(ConfigError) as caught:
        load_config({**raw, **change})
    for part in expected:
        assert part in str(caught.value)


def test_every_fault_is_named_at_once(raw):
    with pytest.raises(ConfigError) as caught:
        load_config({**raw, "seed": -1, "latents": {"batch_size": 0}})
    assert "seed" in str(caught.value)
    assert "latents.batch_size" in str(caught.value)


def test_the_examples_of_the_shipped_config_are_valid_once_uncommented(raw):
    text = (ROOT / "config.yaml").read_text()
    lines = [line[1:] for line in text.splitlines() if line.startswith("#  ")]
    examples = yaml.safe_load("\n".join(line for line in lines if "bids:" not in line))
    assert {model["network"]["family"] for model in examples.values()} == {"kl", "vector", "pca"}
    assert load_config({**raw, "autoencoders": examples})


def test_overlay_replaces_named_entries_instead_of_joining_them(raw):
    own = {"mine": {"bids": "/data/mine", "role": "fit"}}
    merged = {**raw, "datasets": {**raw["datasets"], **own}}
    assert set(load_config(merged, overlay={"datasets": own})["datasets"]) == {"mine"}
    assert set(load_config(merged)["datasets"]) == {"demo", "mine"}


def test_page_of_settings_is_true():
    assert TARGET.read_text() == render(), "run: make docs"


def test_every_setting_is_described():
    rows = [line for line in render().splitlines() if line.startswith("| `")]
    bare = [row for row in rows if row.rstrip().endswith("|  |")]
    assert bare == []
