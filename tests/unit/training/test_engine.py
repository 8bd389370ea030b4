"""What can be switched on: average of weights, recomputation, memory estimate, board, volumes."""

import logging
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from brainlapse.networks.autoencoders import build_autoencoder
from brainlapse.networks.settings import NetworkSettings
from brainlapse.provenance import ROOT, code_fingerprint
from brainlapse.training import report
from brainlapse.training.loop import loop, memory, volume_error
from brainlapse.training.loop.steps import build_engine
from brainlapse.training.model.average import start_average, update_average
from brainlapse.training.model.recomputation import recompute_blocks
from brainlapse.training.resume.checkpoint import ResumeFolder
from brainlapse.training.settings import AutoencoderSettings, TrainingSettings

CPU = torch.device("cpu")
GOLDEN_LOSSES = (
    0.171355, 0.168120, 0.233597, 0.339410, 0.283589, 0.253233, 0.249673, 0.272933, 0.245797,
    0.224620,
)  # fmt: skip
"""Total loss of the first ten steps in float32; a change here changes every trained model."""


def train(settings, data, folder, precision="float32", **more):
    resume = ResumeFolder(folder, "model", {}, 0)  # a checkpoint after every step
    return loop.train(settings, data, 0, resume, CPU, precision, **more)


@pytest.mark.parametrize(
    ("training", "loss", "precision"),
    [
        ({"ema_decay": 0.9}, {}, "float32"),
        ({"micro_batch": 1}, {"sample_latent": True}, "float32"),
        ({}, {}, "bfloat16"),
        ({"ema_decay": 0.5}, {"l1_weight": 3e4}, "float16"),  # overflows: the scale changes
        ({"checkpoint_gradients": True}, {}, "float32"),
    ],
)
def test_a_killed_run_ends_with_the_same_weights(
    changed, data, tmp_path, monkeypatch, training, loss, precision
):
    settings = changed(training, loss)
    whole = train(settings, data, tmp_path / "whole", precision)

    def killed(state, *arguments):
        if state.step == 4:
            raise KeyboardInterrupt
        return autoencoder_step(state, *arguments)

    autoencoder_step = loop.autoencoder_step
    monkeypatch.setattr(loop, "autoencoder_step", killed)
    with pytest.raises(KeyboardInterrupt):
        train(settings, data, tmp_path / "cut", precision)
    monkeypatch.undo()
    again = train(settings, data, tmp_path / "cut", precision)
    for name, weights in whole.best.weights.items():
        assert torch.equal(weights, again.best.weights[name]), name
    assert whole.scaler.state_dict() == again.scaler.state_dict()
    columns = set(whole.history[-1]) - {"seconds"}
    assert all(whole.history[-1][n] == again.history[-1][n] for n in columns)


def test_the_average_follows_the_weights_and_is_what_is_kept(changed, data, tmp_path):
    state = train(changed({"ema_decay": 0.99, "steps": 6}), data, tmp_path)
    assert state.best.epoch == state.history[-1]["epoch"]
    for name, weights in state.average.state_dict().items():
        assert torch.equal(weights, state.best.weights[name])
    assert any(
        not torch.equal(weights, state.best.weights[name])
        for name, weights in state.model.state_dict().items()
    )


def test_the_average_is_a_weighted_mean():
    model = nn.Linear(1, 1, bias=False)
    average = start_average(model)
    values, expected = [3.0, -1.0, 5.0, 2.0], model.weight.item()
    for step, value in enumerate(values, start=1):
        nn.init.constant_(model.weight, value)
        update_average(average, model, 0.25, step)
        decay = min(0.25, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * value
    assert average.weight.item() == pytest.approx(expected)
    assert not average.weight.requires_grad


@pytest.mark.parametrize(("family", "share"), [("s2d", 0.9), ("kl", 0.6)])
def test_recomputation_changes_no_gradient_and_takes_less_memory(family, share):
    network = {"family": family, "channels": [8, 16], "residual_blocks": 2}
    volume = torch.rand(1, 1, 32, 32, 32, generator=torch.Generator().manual_seed(0))
    gradients, peaks = [], []
    for recompute in (False, True):
        torch.manual_seed(0)
        model = build_autoencoder(NetworkSettings.model_validate(network), (32, 32, 32))
        if recompute:
            recompute_blocks(model)
        with memory.LiveTensors() as tensors:
            model(volume).square().mean().backward()
        peaks.append(tensors.peak)
        gradients.append([p.grad for p in model.parameters() if p.grad is not None])
    assert all(torch.equal(*pair) for pair in zip(*gradients, strict=True))
    assert peaks[1] < share * peaks[0]


def test_live_tensors_count_what_is_alive_at_once():
    with memory.LiveTensors() as tensors:
        first = torch.zeros(1000)  # 4000 bytes
        second = first + 1
        del first
        third = second.view(10, 100) * 2
    assert tensors.peak == 8000
    assert tensors.live == 8000
    del second, third


def test_the_estimate_grows_with_the_micro_batch_and_counts_the_optimiser(changed):
    def estimate(**training):
        settings = changed({"batch_size": 4, **training}, {"adversarial_weight": 0})
        return memory.estimate_bytes(build_engine(settings, CPU), (16, 16, 16), 0)

    weights = sum(w.nbytes for w in build_autoencoder(changed().network, (16, 16, 16)).parameters())
    one, two = estimate(micro_batch=1), estimate(micro_batch=2)
    assert one > 4 * weights
    assert estimate(micro_batch=4) - two == pytest.approx(2 * (two - one))
    assert estimate(micro_batch=1, ema_decay=0.9) - one == pytest.approx(weights, rel=0.01)


def test_the_limit_of_a_job_counts_as_available_memory(tmp_path):
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text("MemTotal: 9000 kB\nMemAvailable: 8000 kB\n")
    (tmp_path / "proc/self/cgroup").write_text("0::/slurm/job_7\n")
    assert memory.available_bytes(CPU, tmp_path) == 8000 * 1024
    group = tmp_path / "sys/fs/cgroup/slurm"
    group.mkdir(parents=True)
    (group / "memory.max").write_text("4096000\n")
    assert memory.available_bytes(CPU, tmp_path) == 4096000


def test_a_warning_before_memory_runs_out(settings, data, tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(memory, "available_bytes", lambda device: 1000)
    with caplog.at_level(logging.INFO):
        train(settings, data, tmp_path)
    assert "GiB of memory needed" in caplog.text
    assert "may run out of memory" in caplog.text


class Judge:
    """Finds what it is told, epoch by epoch."""

    def __init__(self, errors):
        self.errors, self.names = list(errors), []

    def error_pct(self, name, scan, reconstruction):
        assert scan.shape == reconstruction.shape == (16, 16, 16)
        self.names.append(name)
        return self.errors[(len(self.names) - 1) // 2]


def test_volumes_pick_the_kept_weights(changed, data, tmp_path):
    judge = Judge([9.0, 2.0, 5.0])
    settings = changed({"selection": "volumes", "steps": 9})
    state = train(settings, data, tmp_path, judge=judge)
    assert [row["validation_volume_error_pct"] for row in state.history] == [9.0, 2.0, 5.0]
    assert (state.best.epoch, state.best.value) == (1, 2.0)
    assert set(judge.names) == {"made/sub-5", "made/sub-6"}
    assert state.history[-1]["validation_l1"] < state.history[1]["validation_l1"]


def test_last_weights_are_kept_where_they_are_asked_for(changed, data, tmp_path):
    state = train(changed({"selection": "last", "steps": 9}), data, tmp_path)
    assert state.best.epoch == state.history[-1]["epoch"] == 2
    for name, weights in state.model.state_dict().items():
        assert torch.equal(state.best.weights[name], weights), name


class Rising:
    """A state whose L1 rises once the adversarial term begins."""

    def __init__(self):
        self.best, self.discriminator, self.judged = None, None, nn.Linear(1, 1)


@pytest.mark.parametrize(
    ("selection", "kept"), [("l1", (3, 0.3)), ("total", (3, 0.3)), ("last", (5, 0.5))]
)
def test_an_epoch_before_the_adversarial_term_is_not_kept_once_it_has_begun(selection, kept):
    """Without the rule epoch 1, of the lowest L1, would be kept in all three cases."""
    settings = AutoencoderSettings.model_validate(
        {"loss": {"adversarial_start_epoch": 3}, "training": {"selection": selection}}
    )
    state = Rising()
    for epoch, value in enumerate([0.2, 0.1, 0.15, 0.3, 0.4, 0.5]):
        if epoch == 3:
            state.discriminator = nn.Linear(1, 1)
        loop.keep_better(state, value, epoch, settings)
    assert (state.best.epoch, state.best.value) == kept
    assert report.phase(state, settings) == "adversarial"


def test_a_training_that_ends_before_the_adversarial_term_keeps_its_best():
    settings = AutoencoderSettings()
    state = Rising()
    for epoch, value in enumerate([0.2, 0.1, 0.15]):
        loop.keep_better(state, value, epoch, settings)
    assert (state.best.epoch, report.phase(state, settings)) == (1, "reconstruction")


def test_the_judge_is_loaded_only_where_volumes_select():
    assert volume_error.load_judge(TrainingSettings(), None) is None
    judge = ROOT / Path(*volume_error.JUDGE_MODULE.split(".")).with_suffix(".py")
    assert "brainlapse.segmentation.embedded.network" in code_fingerprint(judge)


def test_judged_scans_are_spread_over_the_validation_scans():
    assert volume_error.judged_scans(10, 4) == [0, 3, 6, 9]
    assert volume_error.judged_scans(2, 4) == [0, 1]


def test_tensorboard_is_refused_where_it_is_missing(monkeypatch):
    monkeypatch.setattr("brainlapse.training.settings.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="pip install tensorboard"):
        TrainingSettings(tensorboard=True)


def test_tensorboard_gets_every_number_of_the_history(settings, data, tmp_path, monkeypatch):
    written = {}

    class SummaryWriter:
        def __init__(self, folder):
            written["folder"] = folder

        def add_scalar(self, name, value, step):
            written[name, step] = value

        def close(self):
            written["closed"] = True

    module = types.ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = SummaryWriter
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    state = train(settings, data, tmp_path / "run", board=tmp_path / "board")
    for row in state.history:
        assert written["train/l1", row["step"]] == row["train_l1"]
        assert written["validation/total", row["step"]] == row["validation_total"]
    assert written["closed"]


def test_the_first_ten_losses_are_the_recorded_ones(changed, data, tmp_path, monkeypatch):
    losses = []

    def watched(*arguments):
        terms, reconstruction = autoencoder_step(*arguments)
        losses.append(terms["total"])
        return terms, reconstruction

    autoencoder_step = loop.autoencoder_step
    monkeypatch.setattr(loop, "autoencoder_step", watched)
    settings = changed({"steps": 10}, {"adversarial_weight": 0.1, "kl_weight": 1e-3})
    train(settings, data, tmp_path)
    np.testing.assert_allclose(losses, GOLDEN_LOSSES, rtol=1e-3)
