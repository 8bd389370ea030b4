"""Parts of a batch add up to the batch, also where memory runs out on the way."""

import logging

import pytest
import torch

from brainlapse.training.devices.processes import Processes
from brainlapse.training.loop import loop, steps
from brainlapse.training.loop.micro_batches import OutOfMemory, in_parts
from brainlapse.training.loop.steps import Batch, build_engine
from brainlapse.training.resume.checkpoint import ResumeFolder

CPU = torch.device("cpu")


def train(settings, data, folder):
    return loop.train(settings, data, 0, ResumeFolder(folder, "model", {}, 60), CPU)


def assert_close(first, second):
    for name, weights in first.model.state_dict().items():
        torch.testing.assert_close(weights, second.model.state_dict()[name], atol=1e-5, rtol=1e-3)
    for row, other in zip(first.history, second.history, strict=True):
        names = set(row) - {"seconds"}
        assert {n: row[n] for n in names} == pytest.approx({n: other[n] for n in names}, rel=1e-4)


@pytest.mark.parametrize("micro_batch", [1, 2])
def test_accumulation_equals_the_big_batch(changed, data, tmp_path, micro_batch):
    loss = {"sample_latent": True, "adversarial_weight": 0.1}
    training = {"batch_size": 3, "learning_rate": 1e-4}  # 5 scans: the last batch has two
    whole = train(changed(training, loss), data, tmp_path / "whole")
    parts = train(changed({**training, "micro_batch": micro_batch}, loss), data, tmp_path / "parts")
    assert "train_discriminator" in whole.history[-1]
    assert_close(whole, parts)


class Small(torch.nn.Module):
    """An autoencoder on a GPU that holds only so many scans."""

    def __init__(self, model, scans):
        super().__init__()
        self.model, self.scans = model, scans

    def encode(self, volume):
        if len(volume) > self.scans:
            raise torch.OutOfMemoryError
        return self.model.encode(volume)

    def decode(self, latent):
        return self.model.decode(latent)


@pytest.fixture
def step(changed):
    def take(scans_that_fit):
        settings = changed({"batch_size": 5, "learning_rate": 1e-4})
        state = loop.new_state(settings, (16, 16, 16), 0, CPU)
        state.model = Small(state.model, scans_that_fit)
        volume = torch.rand(5, 1, 16, 16, 16, generator=torch.Generator().manual_seed(0))
        batch = Batch(volume, None, 1 / 5, "here")
        values, _ = steps.autoencoder_step(state, batch, build_engine(settings, CPU))
        return state, values

    return take


@pytest.mark.parametrize(("fit", "expected"), [(3, 3), (2, 2), (1, 1)])
def test_a_step_that_ran_out_of_memory_is_done_again_in_smaller_parts(step, caplog, fit, expected):
    whole, values = step(5)
    with caplog.at_level(logging.WARNING):
        state, again = step(fit)
    assert state.micro_batch == expected
    assert f"with {expected} scans per pass" in caplog.text
    assert again == pytest.approx(values, rel=1e-5)
    for name, weights in whole.model.state_dict().items():
        torch.testing.assert_close(weights, state.model.state_dict()[name], atol=1e-5, rtol=1e-3)


def test_a_scan_that_does_not_fit_is_an_error_that_says_what_to_set(step):
    with pytest.raises(OutOfMemory, match="checkpoint_gradients"):
        step(0)


def test_other_errors_pass():
    def fail(part):
        raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        in_parts(2, 2, fail)


@pytest.mark.parametrize(("rows", "count"), [(7, 2), (2, 4), (1, 3), (8, 4)])
def test_processes_share_out_every_row_once(rows, count):
    parts = [Processes(rank, count).part(range(rows)) for rank in range(count)]
    assert [row for part in parts for row in part] == list(range(rows))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
