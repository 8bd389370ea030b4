"""Half precision learns like float32, and float16 survives an overflow."""

import pytest
import torch

from brainlapse.training.loop import loop
from brainlapse.training.model import precision
from brainlapse.training.resume.checkpoint import ResumeFolder

CPU = torch.device("cpu")


def train(settings, data, folder, arithmetic):
    resume = ResumeFolder(folder, "model", {}, 60)
    return loop.train(settings, data, 0, resume, CPU, arithmetic)


@pytest.mark.parametrize(
    ("found", "expected"),
    [({"amx_bf16": True}, "bfloat16"), ({"avx512_bf16": True}, "bfloat16"), ({}, "float32")],
)
def test_auto_takes_bfloat16_where_the_cpu_has_it(monkeypatch, found, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: found)
    assert precision.resolve_precision("auto", CPU) == expected
    assert precision.resolve_precision("float16", CPU) == "float16"


@pytest.mark.parametrize("arithmetic", ["bfloat16", "float16"])
def test_half_precision_reaches_the_loss_of_float32(changed, data, tmp_path, arithmetic):
    settings = changed({"steps": 45}, {"adversarial_weight": 0.01})
    losses = {
        name: train(settings, data, tmp_path / name, name).history[-1]["validation_l1"]
        for name in ("float32", arithmetic)
    }
    assert losses[arithmetic] == pytest.approx(losses["float32"], rel=0.05)
    assert losses[arithmetic] != losses["float32"]


def test_networks_compute_in_half_and_losses_in_single(settings, data, tmp_path, monkeypatch):
    seen = {}

    def watched(volume, reconstruction, mean, *rest):
        seen["loss"] = {reconstruction.dtype, mean.dtype}
        return loss_terms(volume, reconstruction, mean, *rest)

    loss_terms = loop.autoencoder_step.__globals__["loss_terms"]
    monkeypatch.setitem(loop.autoencoder_step.__globals__, "loss_terms", watched)
    run_conv = torch.nn.Conv3d.forward

    def conv(layer, features):
        made = run_conv(layer, features)
        if min(features.shape[2:]) > max(layer.kernel_size):  # smaller ones: small_maps
            seen.setdefault("convolutions", set()).add(made.dtype)
        return made

    monkeypatch.setattr(torch.nn.Conv3d, "forward", conv)
    train(settings, data, tmp_path, "bfloat16")
    assert seen == {"loss": {torch.float32}, "convolutions": {torch.bfloat16}}


def test_an_overflow_in_float16_skips_the_update_and_lowers_the_scale(changed, data, tmp_path):
    settings = changed({"steps": 1}, {"l1_weight": 1e6, "adversarial_weight": 0})
    state = train(settings, data, tmp_path, "float16")
    fresh = loop.new_state(settings, data.grid.shape, 0, CPU, "float16")
    assert state.scaler.get_scale() == fresh.scaler.get_scale() / 2
    for name, weights in fresh.model.state_dict().items():
        assert torch.equal(weights, state.model.state_dict()[name])
