"""A bad configuration is named before any job; the page of settings is true."""

import copy
from pathlib import Path
from typing import Annotated

import pytest
import yaml
from pydantic import Field

from brainlapse import config_docs
from brainlapse.config import ConfigError, load_config
from brainlapse.config_docs import TARGET, render
from brainlapse.settings import Settings

ROOT = Path(__file__).parents[2]
COMPLETE = [ROOT / "config.yaml", *sorted((ROOT / "tests/config").glob("*.yaml"))]


@pytest.fixture
def raw():
    return yaml.safe_load((ROOT / "config.yaml").read_text())


@pytest.mark.parametrize("path", COMPLETE, ids=lambda path: path.name)
def test_shipped_configurations_are_valid_and_complete(path):
    config = load_config(yaml.safe_load(path.read_text()))
    assert load_config(copy.deepcopy(config)) == config
    assert config["preprocess"]["bias"]


@pytest.mark.parametrize("name", ["drawn_brains", "planted_effects"])
def test_recipes_of_drawn_brains_are_valid_over_the_shipped_config(raw, name):
    recipe = yaml.safe_load((ROOT / f"configs/{name}.yaml").read_text())
    config = load_config({**raw, **recipe}, overlay=recipe)
    assert all(dataset["simulate"]["brains"] for dataset in config["datasets"].values())


@pytest.mark.parametrize("name", ["segmenter", "pretraining"])
def test_settings_of_the_shipped_weights_are_valid_over_the_shipped_config(raw, name):
    recipe = yaml.safe_load((ROOT / f"configs/{name}.yaml").read_text())
    config = load_config({**raw, **recipe})
    for key in recipe:
        assert config[key], key


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"sede": 1}, ["sede: unknown key", "value 1"]),
        ({"seed": -1}, ["seed:", "greater than or equal to 0", "found -1"]),
        ({"space": {"voxel_mm": 9}}, ["space.voxel_mm:", "less than or equal to 6", "found 9"]),
        ({"space": {"shape": [8, 80, 64]}}, ["space.shape.0:", "equal to 16", "found 8"]),
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
        (
            {"datasets": {name: {"simulate": {"subjects": 4}} for name in ("a", "b")}},
            ["datasets.b.simulate.seed", "the people of 'a' once more"],
        ),
        ({"datasets": {"a/b": {"bids": "x"}}}, ["datasets", "'a/b'", "letters, digits"]),
        ({"datasets": {"a": {"bids": "x", "role": "apply"}}}, ["none has role 'fit'"]),
        ({"datasets": {"a": {"role": "fit"}}}, ["datasets.a", "exactly one of bids"]),
        ({"datasets": {}}, ["datasets:", "at least 1"]),
        ({"output": "a/{b}"}, ["output", "without { }", "a/{b}"]),
        ({"output": "./"}, ["output: expected a folder of its own"]),
        ({"output": "/"}, ["output: expected a folder of its own"]),
        ({"output": " "}, ["output: expected a folder"]),
        ({"space": {"shape": [-64, 80, 64]}}, ["space.shape.0:", "to 16", "found -64"]),
        ({"space": {"shape": [0, 80, 64]}}, ["space.shape.0:", "to 16", "found 0"]),
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


def example_above(key):
    """The example in the remark above a key of the shipped configuration."""
    text = (ROOT / "config.yaml").read_text().partition(f"\n{key}:")[0]
    lines = [line[1:] for line in text.split("\n\n")[-1].splitlines()]
    return yaml.safe_load("\n".join(line for line in lines if line.startswith("  ")))


def test_the_examples_of_the_shipped_config_are_valid_once_uncommented(raw):
    models = example_above("autoencoders")
    assert {model["network"]["family"] for model in models.values()} == {"kl", "vector", "pca"}
    assert load_config({**raw, "autoencoders": models})
    own = load_config({**raw, **example_above("datasets")})
    assert set(own["datasets"]) == {"ixi", "clinic"}


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


class Plain(Settings):
    part: float = Field(0.5, ge=0, lt=1, description="A part")
    edge: tuple[Annotated[int, Field(ge=16, le=512)], ...] = Field((16,), description="Edges")
    rate: float | None = Field(None, gt=0, description="A rate")
    free: str = Field("x", description="A word")


def test_ranges_are_printed_from_the_types():
    ranges = {name: config_docs._range(field) for name, field in Plain.model_fields.items()}
    assert ranges == {"part": "0 to below 1", "edge": "each 16 to 512", "rate": "> 0", "free": ""}
