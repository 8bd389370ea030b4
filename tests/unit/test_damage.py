"""Every format that the run writes: whole it is read; cut, emptied or foreign, one sentence."""

import errno

import numpy as np
import pandas as pd
import pytest
import torch

from brainlapse import runtime
from brainlapse.damage import DamagedFile, check_complete, is_machine_fault, reading
from brainlapse.images import load_canonical, load_volume, save_volume
from brainlapse.latents import read_latents, write_latents
from brainlapse.networks.settings import NetworkSettings
from brainlapse.networks.trained import load_segmenter
from brainlapse.preprocessing.quality.collection import NUMBERS, read_record
from brainlapse.preprocessing.registration.transforms import (
    read_world_transform,
    write_world_transform,
)
from brainlapse.segmenter.anatomies import Anatomy, read_anatomy, save_anatomy
from brainlapse.training.model.trained import load_model, read_card, save_card, save_weights

RNG = np.random.default_rng(0)
CARD = {
    "settings": {"network": NetworkSettings(family="vector", channels=(8,)).model_dump()},
    "grid": {"voxel_mm": 4.0, "shape": [16, 16, 16]},
    "contract": {},
}
INDEX = pd.DataFrame({"dataset": "d", "scan": ["sub-01", "sub-02"]})


def write_model(path):
    from brainlapse.training.model.trained import build_autoencoder, network_of

    save_card(path.with_name("config.json"), CARD)
    torch.manual_seed(0)
    save_weights(path, build_autoencoder(network_of(CARD), (16, 16, 16)).state_dict())


def write_both(path):
    mean = RNG.normal(size=(2, 1, 2, 2, 2))
    write_latents(path.with_name("latents.npz"), path.with_name("index.tsv"), mean, mean, INDEX)


FORMATS = {  # file name -> write it, read it
    "a.nii.gz": (lambda p: save_volume(p, RNG.random((9, 9, 9)), np.eye(4)), load_volume),
    "a.nii": (lambda p: save_volume(p, RNG.random((9, 9, 9)), np.eye(4)), load_canonical),
    "a.mat": (lambda p: write_world_transform(p, np.eye(4)), read_world_transform),
    "a.tsv": (lambda p: runtime.write_table(p, INDEX), runtime.read_table),
    "a_qc.json": (
        lambda p: runtime.write_json(
            p, {"numbers": dict.fromkeys(NUMBERS, 1.0), "mask": {"way": "deepbet"}}
        ),
        read_record,
    ),
    "latents.npz": (write_both, lambda p: read_latents(p.parent)),
    "index.tsv": (write_both, lambda p: read_latents(p.parent)),
    "anatomy.npz": (
        lambda p: save_anatomy(p, Anatomy("a", np.zeros((2, 2, 2)), np.eye(4), np.zeros((3, 2)))),
        read_anatomy,
    ),
    "model.safetensors": (write_model, lambda p: load_model(p.parent)),
    "config.json": (
        lambda p: write_model(p.with_name("model.safetensors")),
        lambda p: read_card(p.parent),
    ),
}
DAMAGES = {
    "cut": lambda content: content[: int(0.4 * len(content))],
    "last byte": lambda content: content[:-1],
    "empty": lambda content: b"",
    "html": lambda content: b"<!DOCTYPE html>\n<html><body>Quota exceeded</body></html>",
    "html with whole lines": lambda content: b"<!DOCTYPE html>\n<html></html>\n",
    "zeros": lambda content: bytes(len(content)),
    "another's json": lambda content: b'{"numbers": {}, "format": 1}',
}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_one_sentence_in_every_format(tmp_path, name, damage):
    write, read = FORMATS[name]
    path = tmp_path / name
    write(path)
    read(path)
    if damage == "last byte" and name.endswith(".json"):
        return  # a missing line break harms no JSON
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    with pytest.raises(DamagedFile) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: damaged (")
    assert str(caught.value).endswith("); delete it and run again")


def test_a_table_that_lacks_a_column_is_damage(tmp_path):
    path = tmp_path / "a.tsv"
    runtime.write_table(path, INDEX)
    with pytest.raises(DamagedFile, match="expected the columns scan, age, age missing"):
        runtime.read_table(path, ["scan", "age"])


def test_tables_without_rows_or_columns_are_whole(tmp_path):
    for frame in (INDEX.head(0), pd.DataFrame()):
        runtime.write_table(tmp_path / "a.tsv", frame)
        assert runtime.read_table(tmp_path / "a.tsv").empty


def test_weights_that_come_along_say_something_else(tmp_path):
    path = tmp_path / "segmenter.safetensors"
    path.write_bytes(b"cut")
    with pytest.raises(DamagedFile, match="clone brainlapse again, or name other weights"):
        load_segmenter(torch.device("cpu"), path)


@pytest.mark.parametrize(
    "error", [MemoryError(), OSError(errno.EIO, "EIO"), OSError(errno.ENOSPC, "ENOSPC")]
)
def test_errors_of_the_machine_pass_as_they_are(error):
    assert is_machine_fault(error)
    with pytest.raises(type(error)) as caught, reading("a.json"):
        raise error
    assert caught.value is error


def test_what_is_missing_and_what_is_strange_is_named():
    plan = [("d", f"sub-{number}") for number in range(5)]
    check_complete("a.tsv", plan, reversed(plan), "scans")
    with pytest.raises(DamagedFile, match=r"a.tsv: damaged \(4 of 5 scans missing: d/sub-1, d/sub"):
        check_complete("a.tsv", plan, plan[:1], "scans")
    with pytest.raises(DamagedFile, match="1 scans that aren't of this run: d/sub-4"):
        check_complete("a.tsv", plan[:4], plan, "scans")
