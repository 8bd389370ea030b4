"""Heads trained with an autoencoder: they learn, repeat, resume, and see no test person's label."""

import numpy as np
import pytest
import torch

from brainlapse.networks.interface import HEADS, without_heads
from brainlapse.runtime import write_table
from brainlapse.training.heads.loading import load_heads
from brainlapse.training.loop import loop, steps
from brainlapse.training.model import trained
from brainlapse.training.model.state import new_state, pack, unpack
from brainlapse.training.report import history_table, model_card
from brainlapse.training.settings import AutoencoderSettings
from tests.unit.training.heads.drawn import CPU, SIZE, Cohort, run, with_heads

FAMILIES = ("s2d", "vector")


def assert_same(first, second):
    assert first.best.weights.keys() == second.best.weights.keys()
    for name, weights in first.best.weights.items():
        assert torch.equal(weights, second.best.weights[name]), name


@pytest.fixture(scope="module")
def small():
    return Cohort(train=6, validation=2, test=4)


@pytest.mark.parametrize("family", FAMILIES)
def test_heads_are_kept_with_the_weights_and_their_losses_in_the_history(small, tmp_path, family):
    settings = with_heads(family, steps=40, validate_every=40)
    state = run(settings, small.data, small.labels(), tmp_path)
    kept = state.best.weights
    for name in ("centre", "scale", "layers.task-sex.weight", "layers.task-age.bias"):
        assert HEADS + name in kept
    assert not any("targets" in name or "weights_" in name for name in kept), "labels are stored"
    table = history_table(state)
    assert table["train_head_sex"].iloc[-1] < 0.9 * table["train_head_sex"].iloc[0]
    assert not any(name.startswith("validation_head") for name in table)
    row = table.iloc[-1]
    heads = row["train_head_sex"] + row["train_head_age"]
    expected = row["train_l1"] + 1e-6 * row["train_kl"] + 0.01 * heads
    assert row["train_total"] == pytest.approx(expected, rel=1e-5)


def test_without_heads_nothing_of_them_is_there(small, tmp_path):
    plain = with_heads(heads=False)
    state = run(plain, small.data, small.labels(), tmp_path / "labels")
    assert_same(state, run(plain, small.data, [], tmp_path / "none"))
    assert not any(name.startswith(HEADS) for name in state.best.weights)
    assert not any("head" in name for name in state.history[-1])
    asked = run(with_heads(), small.data, [], tmp_path / "unlabelled")
    assert_same(asked, state)


@pytest.mark.parametrize(("family", "precision"), [("s2d", "float32"), ("vector", "bfloat16")])
def test_a_killed_run_ends_with_the_same_weights(small, tmp_path, monkeypatch, family, precision):
    settings = with_heads(family, ema_decay=0.9 if family == "vector" else 0.0)

    def go(folder, minutes=60.0):
        return run(settings, small.data, small.labels(), tmp_path / folder, minutes, precision)

    whole = go("whole")

    def killed(*arguments):
        if arguments[0].step == 5:
            raise KeyboardInterrupt
        return autoencoder_step(*arguments)

    autoencoder_step = loop.autoencoder_step
    monkeypatch.setattr(loop, "autoencoder_step", killed)
    with pytest.raises(KeyboardInterrupt):
        go("cut", 0)
    monkeypatch.setattr(loop, "autoencoder_step", autoencoder_step)
    torch.manual_seed(99)
    assert_same(go("cut"), whole)
    assert np.isfinite(whole.history[-1]["train_total"])


def test_a_checkpoint_holds_the_heads(small):
    settings = with_heads()
    heads = load_heads(settings, small.labels(), small.data)
    setup = settings, (SIZE,) * 3, 0, CPU, "float32", heads
    state = new_state(*setup)
    state.model.heads.centre.fill_(3.0)
    again = unpack(pack(state), *setup)
    assert torch.equal(again.model.heads.centre, state.model.heads.centre)
    assert float(heads.centre.sum()) == 0, "the fresh heads were changed"


def test_parts_of_a_batch_add_up_to_the_whole(small, tmp_path):
    whole = run(with_heads(steps=3), small.data, small.labels(), tmp_path / "whole")
    parted = run(with_heads(steps=3, micro_batch=1), small.data, small.labels(), tmp_path / "parts")
    row, other = whole.history[-1], parted.history[-1]
    for name in ("train_head_sex", "train_head_age", "train_total"):
        assert row[name] == pytest.approx(other[name], rel=1e-4)


def test_labels_of_others_than_training_people_change_no_byte(small, tmp_path):
    settings, index = with_heads(), small.index
    others = index.copy()
    held = index["split"] != "train"
    others.loc[held, "sex"] = "X"
    others.loc[held, "age_years"] = np.nan
    for name, table in (("a", index), ("b", others)):
        rows = small.labels(table)
        state = run(settings, small.data, rows, tmp_path / name)
        trained.save_weights(tmp_path / f"{name}.safetensors", state.best.weights)
    first, second = (tmp_path / f"{name}.safetensors" for name in "ab")
    assert first.read_bytes() == second.read_bytes()
    mine = index.copy()
    mine.loc[0, "sex"] = "F" if mine.loc[0, "sex"] == "M" else "M"
    state = run(settings, small.data, small.labels(mine), tmp_path / "c")
    trained.save_weights(tmp_path / "c.safetensors", state.best.weights)
    assert first.read_bytes() != (tmp_path / "c.safetensors").read_bytes()


def test_scans_without_a_label_teach_nothing(small, tmp_path):
    index = small.index.copy()
    index.loc[[0, 1], "sex"] = None
    heads = load_heads(with_heads(), small.labels(index), small.data)
    mean = torch.randn(2, 4, 2, 2, 2, requires_grad=True)
    loss = heads.losses(mean, [0, 1])["sex"]
    assert loss == 0
    loss.backward()
    assert heads.layers["task-sex"].weight.grad.abs().sum() == 0
    assert heads.losses(mean, [0, 1])["age"] > 0


def test_a_trained_model_encodes_and_is_started_from_without_its_heads(small, tmp_path):
    settings = with_heads(steps=2)
    state = run(settings, small.data, small.labels(), tmp_path / "r")
    folder = tmp_path / "model"
    trained.save_weights(folder / "model.safetensors", state.best.weights)

    class Space:
        shape, voxel_mm = (SIZE,) * 3, 2.5

    card = {
        "settings": settings.model_dump(mode="json"), "grid": {"shape": [SIZE] * 3}, "contract": {},
    }  # fmt: skip
    trained.save_card(folder / "config.json", card)
    loaded = trained.load_model(folder)
    assert loaded.heads is None
    own = without_heads(state.best.weights)
    assert loaded.state_dict().keys() == own.keys()
    plain = with_heads(heads=False).model_dump()
    started = new_state(
        AutoencoderSettings.model_validate({**plain, "start": str(folder)}), (SIZE,) * 3, 0, CPU
    )
    assert all(torch.equal(w, own[n]) for n, w in started.model.state_dict().items())


def test_the_card_says_what_the_heads_answer(small, tmp_path):
    from brainlapse.space import SpaceSettings

    settings = with_heads(steps=2)
    state = run(settings, small.data, small.labels(), tmp_path)
    space = SpaceSettings(voxel_mm=2.5, shape=(SIZE,) * 3)
    sex, age = model_card(state, settings, space, {}, 0)["heads"]
    assert sex == {
        "task": "sex", "kind": "classification", "classes": ["F", "M"], "training_scans": 6,
    }  # fmt: skip
    ages = small.index["age_years"][:6]
    assert age["mean"] == pytest.approx(ages.mean())
    assert age["sd"] == pytest.approx(ages.std(ddof=0))


def test_validation_scans_have_no_labels(small):
    """The heads know the training scans only, by their place among them."""
    settings = with_heads()
    heads = load_heads(settings, small.labels(), small.data)
    state = new_state(settings, (SIZE,) * 3, 0, CPU, heads=heads)
    terms = steps.validation_terms(state, small.data.validation, steps.build_engine(settings, CPU))
    assert set(terms) == {"l1", "kl", "total"}
    assert len(heads.targets_0) == len(small.data.train.names)


def test_same_labels_same_table(small, tmp_path):
    from brainlapse.analysis.heads.labels import training_labels
    from tests.unit.training.heads.drawn import TASKS

    for name, index in (("a", small.index), ("b", small.index.assign(note="x"))):
        write_table(tmp_path / name, training_labels(index, TASKS)[0])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
