"""Every file, folder and program that a configuration names is looked at; one line each."""

import shutil

import pytest
import yaml
from safetensors.numpy import save_file

from brainlapse.config import ConfigError, load_config
from brainlapse.configuration import places
from brainlapse.provenance import ROOT


@pytest.fixture
def raw(tmp_path, monkeypatch):
    """The shipped configuration with a small data set; no scheduler on this machine."""
    folder = tmp_path / "bids"
    (folder / "sub-01/anat").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    which = shutil.which
    monkeypatch.setattr(
        places.shutil, "which", lambda name: None if name in places.SCHEDULERS else which(name)
    )
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    return {**config, "datasets": {"mine": {"bids": str(folder)}}}


def put(raw, key, value):
    *sections, last = key.split(".")
    node = raw
    for name in sections:
        node = node.setdefault(name, {})
    node[last] = value
    return raw


def faults(raw):
    with pytest.raises(ConfigError) as caught:
        load_config(raw, look=True)
    opening, *lines = str(caught.value).splitlines()
    assert opening == "The configuration can't be used:"
    assert all(line.startswith("  - ") for line in lines)
    return [line.removeprefix("  - ") for line in lines]


def test_a_configuration_whose_places_are_there_passes(raw, tmp_path):
    for place in ("out", "deep/er/out", "bids/derivatives/brainlapse", "~/out"):
        assert load_config({**raw, "output": place}, look=True)
    save_file({}, tmp_path / "w.safetensors")
    (tmp_path / "review.tsv").touch()
    put(raw, "segmentation.weights", "w.safetensors")
    put(raw, "preprocess.quality.review", "review.tsv")
    assert load_config(raw, look=True)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("datasets.mine.bids", "nowhere", "expected a BIDS folder, found nothing there"),
        ("datasets.mine.bids", "file", "expected a BIDS folder, found a file"),
        ("datasets.mine.bids", "empty", "sub-* in it, found an empty folder"),
        ("datasets.mine.bids", "dangling", "found a link that leads nowhere"),
        ("datasets.mine.bids", "a\nb", "without line breaks"),
        ("output", "bids", "lies in the data set of datasets.mine.bids"),
        ("output", "bids/sub-01/out", "lies in the data set of datasets.mine.bids"),
        ("output", "link/out", "lies in the data set of datasets.mine.bids"),
        ("output", "file", "expected a folder, found a file at file"),
        ("output", "file/out", "expected a folder, found a file"),
        ("output", "dangling", "found a link that leads nowhere"),
        ("output", "flow", "the folder of a workflow"),
        ("output", "a\x1bb", "without line breaks and control characters"),
        ("output", "x" * 256, "names of at most 255 bytes"),
        ("segmentation.weights", "nowhere", "expected a safetensors file, found nothing there"),
        ("segmentation.weights", "empty", "expected a safetensors file, found a folder"),
        ("segmentation.weights", "file", "expected a safetensors file, found none"),
        ("preprocess.quality.review", "nowhere", "expected a table at nowhere, found none"),
        ("autoencoders", {"m": {"bundle": "nowhere"}}, "expected a folder or .zip file"),
        ("autoencoders", {"m": {"bundle": "file"}}, "expected a whole zip file"),
        ("autoencoders", {"m": {"bundle": "empty"}}, "this is no whole bundle"),
        ("autoencoders", {"m": {"start": "nowhere"}}, "expected model.safetensors in the folder"),
        ("autoencoders", {"m": {"loss": {"perceptual": {"network": "lpips", "folder": "empty"}}}},
         "needs the file empty/lpips_alex.safetensors"),
        ("segmenter", {"label_maps": "nowhere"}, "expected a folder of NIfTI files"),
        ("segmenter", {"label_maps": "empty"}, "expected a folder of NIfTI files"),
        ("segmentation", {"backend": "native", "binary": "no_such"}, "no program 'no_such'"),
        ("segmentation", {"backend": "native", "binary": "./file"}, "no program './file' is here"),
        ("preprocess.mask", {"ways": ["synthstrip"], "synthstrip": {"binary": "no_such"}},
         "preprocess.mask.synthstrip.binary: no program 'no_such'"),
    ],
)  # fmt: skip
def test_each_place_is_looked_at(raw, tmp_path, key, value, words):
    (tmp_path / "file").write_text("text")
    (tmp_path / "empty").mkdir()
    (tmp_path / "flow").mkdir()
    (tmp_path / "flow/Snakefile").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "link").symlink_to(tmp_path / "bids")
    (line,) = faults(put(raw, key, value))
    assert line.startswith(key.split(".")[0])
    assert words in line


@pytest.mark.parametrize("engine", ["docker", "podman", "apptainer"])
def test_an_engine_that_is_missing_is_named_unless_jobs_run_elsewhere(raw, monkeypatch, engine):
    put(raw, "segmentation.backend", engine)
    monkeypatch.setattr(places.shutil, "which", lambda name: None)
    assert faults(raw) == [
        f"segmentation.backend: no program {engine!r} is here; install it, or change "
        "segmentation.backend"
    ]
    monkeypatch.setattr(places.shutil, "which", lambda name: name if name == "sbatch" else None)
    assert load_config(raw, look=True)


def test_all_faults_are_told_at_once(raw):
    put(raw, "seed", -1)
    put(raw, "space.shape", [0, 80, 64])
    put(raw, "datasets.other", {"bids": "nowhere"})
    put(raw, "segmentation.weights", "gone")
    raw["tasks"] = [{"name": "a", "target": "x", "kind": "regression", "datasets": ["none"]}] * 2
    found = faults(raw)
    keys = ["seed", "space.shape", "datasets.other.bids", "segmentation.weights"]
    keys += ["tasks: name 'a' is given twice", "tasks.0.datasets", "tasks.1.datasets"]
    for key in keys:
        assert sum(line.startswith(key) for line in found) == 1, key
    assert len(found) == 7
