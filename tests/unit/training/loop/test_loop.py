"""The training loop: it learns, repeats, resumes exactly, and keeps its two networks apart."""

import os
import signal

import numpy as np
import pytest
import torch

from brainlapse.training.data.scans import ScanSet, TrainingData, to_batch
from brainlapse.training.loop import loop, steps
from brainlapse.training.model.state import add_discriminator, new_state
from brainlapse.training.resume.checkpoint import ResumeFolder

CPU = torch.device("cpu")


def run(settings, data, folder, minutes=60.0, identity=None):
    resume = ResumeFolder(folder, "model", identity or {"seed": 0}, minutes)
    return loop.train(settings, data, 0, resume, CPU)


def assert_same(first, second):
    for name, weights in first.model.state_dict().items():
        assert torch.equal(weights, second.model.state_dict()[name]), name
    assert first.best.epoch == second.best.epoch
    for name, weights in first.best.weights.items():
        assert torch.equal(weights, second.best.weights[name]), name
    drop = {"seconds"}
    for row, other in zip(first.history, second.history, strict=True):
        assert {k: v for k, v in row.items() if k not in drop} == {
            k: v for k, v in other.items() if k not in drop
        }


def change_settings(settings, **training):
    return settings.model_copy(update={"training": settings.training.model_copy(update=training)})


def test_learns_and_logs_every_term_of_both_splits(settings, data, tmp_path):
    state = run(change_settings(settings, steps=60), data, tmp_path)
    first, last = state.history[0], state.history[-1]
    assert last["validation_l1"] < 0.85 * first["validation_l1"]
    assert "train_adversarial" not in first  # starts in epoch 1
    terms = {"l1", "kl", "adversarial", "total"}
    assert {f"{side}_{term}" for side in ("train", "validation") for term in terms} <= set(last)
    assert "train_discriminator" in last
    assert state.best.value == min(row["validation_l1"] for row in state.history)


def test_the_segmenter_judges_reconstructions_where_the_config_names_it(settings, data, tmp_path):
    perceptual = settings.loss.perceptual.model_copy(update={"network": "segmenter"})
    loss = settings.loss.model_copy(update={"perceptual": perceptual})
    named = change_settings(settings.model_copy(update={"loss": loss}), steps=6)
    first, second = (run(named, data, tmp_path / name) for name in "ab")
    assert_same(first, second)
    row = first.history[-1]
    assert row["train_perceptual"] > 0
    terms = {"l1": 1, "perceptual": 1, "adversarial": 1e-3, "kl": 1e-6}
    total = sum(weight * row[f"validation_{name}"] for name, weight in terms.items())
    assert row["validation_total"] == pytest.approx(total)
    plain = run(change_settings(settings, steps=6), data, tmp_path / "plain")
    assert plain.history[-1]["train_l1"] != row["train_l1"]


def test_the_size_is_logged_once(settings, data, tmp_path, caplog):
    """The network that memory is estimated with is built as well, and thrown away."""
    caplog.set_level("INFO", logger="brainlapse")
    run(settings, data, tmp_path)
    assert "of memory needed" in caplog.text
    assert caplog.text.count(" parameters") == 1


def test_same_seed_same_weights(settings, data, tmp_path):
    assert_same(run(settings, data, tmp_path / "a"), run(settings, data, tmp_path / "b"))


@pytest.mark.parametrize("killed_at", [1, 3, 4, 7])  # before and after the discriminator begins
def test_a_killed_run_ends_with_the_same_weights(settings, data, tmp_path, monkeypatch, killed_at):
    whole = run(settings, data, tmp_path / "whole")

    def killed(*arguments):
        if arguments[0].step == killed_at:
            raise KeyboardInterrupt
        return autoencoder_step(*arguments)

    autoencoder_step = loop.autoencoder_step
    monkeypatch.setattr(loop, "autoencoder_step", killed)
    with pytest.raises(KeyboardInterrupt):
        run(settings, data, tmp_path / "cut", minutes=0)
    monkeypatch.setattr(loop, "autoencoder_step", autoencoder_step)
    torch.manual_seed(99)
    np.random.seed(99)  # noqa: NPY002
    assert_same(run(settings, data, tmp_path / "cut"), whole)


def test_sigterm_writes_a_checkpoint_and_the_run_goes_on(settings, data, tmp_path, monkeypatch):
    whole = run(settings, data, tmp_path / "whole")

    def interrupted(*arguments):
        if arguments[0].step == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return autoencoder_step(*arguments)

    autoencoder_step = loop.autoencoder_step
    monkeypatch.setattr(loop, "autoencoder_step", interrupted)
    with pytest.raises(SystemExit) as stopped:
        run(settings, data, tmp_path / "cut")
    assert stopped.value.code == 143
    monkeypatch.setattr(loop, "autoencoder_step", autoencoder_step)
    assert_same(run(settings, data, tmp_path / "cut"), whole)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_generator_step_leaves_the_discriminator_as_it_was(settings, data):
    state = new_state(settings, data.grid.shape, 0, CPU)
    add_discriminator(state, settings, 0, CPU)
    before = {name: value.clone() for name, value in state.discriminator.state_dict().items()}
    autoencoder_before = {n: v.clone() for n, v in state.model.state_dict().items()}
    batch = steps.Batch(to_batch(data.train.volumes[:2], CPU), None, 1 / 2, "here")
    engine = steps.build_engine(settings, CPU)
    terms, reconstruction = steps.autoencoder_step(state, batch, engine)
    assert terms["adversarial"] > 0
    assert all(weights.grad is None for weights in state.discriminator.parameters())
    assert all(torch.equal(v, before[n]) for n, v in state.discriminator.state_dict().items())

    after = {n: v.clone() for n, v in state.model.state_dict().items()}
    assert any(not torch.equal(after[n], autoencoder_before[n]) for n in after)
    steps.discriminator_step(state, batch, reconstruction, engine)
    assert any(not torch.equal(v, before[n]) for n, v in state.discriminator.state_dict().items())
    assert all(torch.equal(v, after[n]) for n, v in state.model.state_dict().items())


def test_a_loss_that_is_not_finite_stops_and_names_the_scans(settings, data, tmp_path):
    volumes = data.train.volumes.copy()
    volumes[3] = np.nan
    broken = TrainingData(ScanSet(data.train.names, volumes), data.validation, 2.5)
    with pytest.raises(steps.TrainingDiverged, match=r"epoch 0, step \d, scans .*sub-3.*l1 nan"):
        run(settings, broken, tmp_path)


def test_without_validation_scans_the_last_weights_are_kept(settings, data, tmp_path):
    alone = TrainingData(data.train, ScanSet((), data.validation.volumes[:0]), 2.5)
    state = run(settings, alone, tmp_path)
    assert state.best.epoch == state.history[-1]["epoch"]


def test_a_time_limit_ends_the_run(settings, data, tmp_path):
    limited = change_settings(settings, steps=None, max_minutes=0.01)
    state = run(limited, data, tmp_path)
    assert 0 < state.step < 230 * 3
    assert state.best is not None
