"""The segmenter's training: repeats, resumes exactly, keeps its average, ends on nonsense."""

import dataclasses
import math
import os
import signal

import pytest
import torch

from brainlapse.networks.segmenter import block_positions, mask_blocks
from brainlapse.segmentation.classes import CLASSES
from brainlapse.segmenter import loop
from brainlapse.segmenter.loop import (
    Patches,
    new_state,
    rate_at,
    take_step,
    train_segmenter,
    update_average,
    validation_dice,
)
from brainlapse.segmenter.settings import SegmenterSettings
from brainlapse.training.resume.checkpoint import ResumeFolder
from tests.unit.segmenter.heads import SMALL

CPU = torch.device("cpu")


@pytest.fixture
def settings():
    return SegmenterSettings(
        label_maps="made", patch=(16, 16, 16), batch_size=2, steps=4, warmup_steps=1,
        freeze_norm=0.75, checkpoint_minutes=60, validate_every=100,
    )  # fmt: skip


def run(settings, anatomy, folder, minutes=60.0):
    resume = ResumeFolder(folder, "segmenter", {"seed": 0}, minutes)
    return train_segmenter([anatomy], [], settings, 0, resume, CPU, workers=0)


def batch_of(patches, numbers):
    rows = [patches[number] for number in numbers]
    return [torch.stack(parts) for parts in zip(*rows, strict=True)]


def assert_same(first, second):
    assert first.step == second.step
    for part in ("model", "average"):
        one, two = getattr(first, part).state_dict(), getattr(second, part).state_dict()
        for name, value in one.items():
            assert torch.equal(value, two[name]), f"{part} {name}"
    drop = {"seconds"}
    for row, other in zip(first.history, second.history, strict=True):
        assert {k: v for k, v in row.items() if k not in drop} == {
            k: v for k, v in other.items() if k not in drop
        }


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """Compute the straight run once, and hand out the same state."""
    states = {}

    def get(settings, anatomy):
        if not states:
            states["whole"] = run(settings, anatomy, tmp_path_factory.mktemp("whole"))
        return states["whole"]

    return get


def test_same_seed_same_weights(settings, anatomy, tmp_path, uninterrupted):
    again = run(settings, anatomy, tmp_path)
    assert_same(again, uninterrupted(settings, anatomy))
    assert again.step == 4
    start = new_state(settings, 0, CPU).model.state_dict()
    assert any(not torch.equal(v, start[n]) for n, v in again.model.state_dict().items())


def interrupt(monkeypatch, step, how):
    def interrupted(state, *arguments):
        if state.step == step:
            how()
        return take_step(state, *arguments)

    monkeypatch.setattr(loop, "take_step", interrupted)


@pytest.mark.parametrize("at", [1, 2])  # the last step but one freezes the normalisation
def test_sigterm_writes_a_checkpoint_and_the_run_goes_on(
    settings, anatomy, tmp_path, monkeypatch, uninterrupted, at
):
    whole = uninterrupted(settings, anatomy)
    interrupt(monkeypatch, at, lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(SystemExit) as stopped:
        run(settings, anatomy, tmp_path)
    assert stopped.value.code == 128 + signal.SIGTERM
    torch.manual_seed(99)
    steps = []
    monkeypatch.setattr(
        loop, "take_step", lambda state, *rest: steps.append(state.step) or take_step(state, *rest)
    )
    assert_same(run(settings, anatomy, tmp_path), whole)
    assert steps == list(range(at + 1, 4))  # the finished steps are not taken again
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_killed_run_ends_with_the_same_weights(
    settings, anatomy, tmp_path, monkeypatch, uninterrupted
):
    whole = uninterrupted(settings, anatomy)

    def kill():
        raise KeyboardInterrupt

    interrupt(monkeypatch, 3, kill)
    with pytest.raises(KeyboardInterrupt):
        run(settings, anatomy, tmp_path, minutes=0)
    monkeypatch.setattr(loop, "take_step", take_step)
    assert_same(run(settings, anatomy, tmp_path), whole)


def test_a_signal_in_the_last_step_loses_nothing(
    settings, anatomy, tmp_path, monkeypatch, uninterrupted
):
    whole = uninterrupted(settings, anatomy)
    interrupt(monkeypatch, 3, lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(SystemExit):
        run(settings, anatomy, tmp_path)
    monkeypatch.setattr(loop, "take_step", None)  # not called
    assert_same(run(settings, anatomy, tmp_path), whole)


def test_the_rate_rises_and_falls_to_its_ends():
    settings = SegmenterSettings(label_maps="x", steps=1000, warmup_steps=100, learning_rate=0.5)
    rates = [rate_at(settings, step) for step in range(1001)]
    assert rates[0] == pytest.approx(0.5 / 101)
    assert rates[49] == pytest.approx(0.5 * 50 / 101)
    assert rates[100] == 0.5
    assert rates[550] == pytest.approx(0.5 * (0.01 + 0.99 / 2))  # halfway down
    assert rates[1000] == pytest.approx(0.005)
    assert rates[:101] == sorted(rates[:101])
    assert rates[100:] == sorted(rates[100:], reverse=True)


def test_the_rate_of_a_run_without_descent_is_defined():
    settings = SegmenterSettings(label_maps="x", steps=5, warmup_steps=5, learning_rate=0.5)
    assert all(0 < rate_at(settings, step) <= 0.5 for step in range(6))
    unwarmed = settings.model_copy(update={"warmup_steps": 0})
    assert rate_at(unwarmed, 0) == 0.5


def test_the_rate_reaches_the_optimiser(settings, anatomy):
    state = new_state(settings, 0, CPU)
    batch = batch_of(Patches([anatomy], settings, 0), range(2))
    for step in range(2):
        take_step(state, settings, batch, freeze_norm=False)
        assert state.optimiser.param_groups[0]["lr"] == rate_at(settings, step)
    assert state.step == 2


def test_the_average_follows_the_closed_form():
    """Early steps weigh by 10 / (step + 10), later ones by the decay."""
    average, model = torch.nn.BatchNorm1d(1), torch.nn.BatchNorm1d(1)
    kept = average.weight.item()
    for step in range(1, 60):
        with torch.no_grad():
            model.weight.fill_(math.sin(step))
        model.num_batches_tracked.fill_(step)
        update_average(average, model, 0.8, step)
        share = max(1 - 0.8, 10 / (step + 10))
        kept += share * (math.sin(step) - kept)
        assert average.weight.item() == pytest.approx(kept, abs=1e-5)
        assert average.num_batches_tracked.item() == step
    assert model.weight.item() == pytest.approx(math.sin(59))


def test_patches_depend_on_seed_and_number_alone(settings, anatomy):
    patches = Patches([anatomy], settings, 0)
    assert len(patches) == 8
    first = patches[3]
    patches[5]
    torch.manual_seed(7)
    for part, again in zip(first, Patches([anatomy], settings, 0)[3], strict=True):
        assert torch.equal(part, again)
    assert not torch.equal(first[0], patches[4][0])
    assert not torch.equal(first[0], Patches([anatomy], settings, 1)[3][0])


def test_patches_know_where_they_lie_and_what_is_learned_from(anatomy):
    settings = SegmenterSettings(label_maps="made", patch=(32, 16, 48), voxel_share=0.5)
    patches = Patches([anatomy], settings, 0)
    shares = []
    for number in range(6):
        image, wanted, classes, right, blocks_mm = patches[number]
        assert image.shape == (1, 32, 16, 48)
        assert classes.shape == right.shape == (32, 16, 48)
        assert wanted.shape == (16, 8, 24)
        inside = mask_blocks(image > 0)[0]
        assert not (wanted & ~inside & ~mask_blocks((classes > 0)[None])[0]).any()
        shares.append((wanted.sum() / inside.sum()).item())
        first = (blocks_mm[:, 0, 0, 0].double().numpy() - 0.5) - SMALL.affine[:3, 3]
        assert (first % 2 == 0).all()
        expected = block_positions(
            torch.from_numpy(SMALL.affine), (32, 16, 48), tuple(first.astype(int))
        )
        assert torch.equal(blocks_mm, expected)
    assert sum(shares) / 6 == pytest.approx(0.5, abs=0.03)


def test_every_head_is_drawn_from(settings, anatomy, monkeypatch):
    heads = [dataclasses.replace(anatomy, name=name) for name in "abc"]
    drawn = []
    draw_patch = loop.draw_patch

    def note(head, *rest):
        drawn.append(head.name)
        return draw_patch(head, *rest)

    monkeypatch.setattr(loop, "draw_patch", note)
    patches = Patches(heads, settings.model_copy(update={"steps": 50}), 0)
    for number in range(30):
        patches[number]
    assert min(drawn.count(name) for name in "abc") >= 4


def test_a_loss_that_is_not_finite_stops_before_the_update(settings, anatomy):
    state = new_state(settings, 0, CPU)
    batch = batch_of(Patches([anatomy], settings, 0), range(2))
    batch[0][0, 0, 3, 3, 3] = torch.nan
    before = {name: value.clone() for name, value in state.model.named_parameters()}
    with pytest.raises(FloatingPointError, match=r"step 0: the loss is not finite .*learning rate"):
        take_step(state, settings, batch, freeze_norm=False)
    for name, value in state.model.named_parameters():
        assert torch.equal(value, before[name])
    assert state.step == 0


@pytest.mark.parametrize("freeze", [True, False])
def test_frozen_normalisation_keeps_its_statistics(settings, anatomy, freeze):
    state = new_state(settings, 0, CPU)
    before = {name: value.clone() for name, value in state.model.named_buffers()}
    weights = {name: value.clone() for name, value in state.model.named_parameters()}
    take_step(state, settings, batch_of(Patches([anatomy], settings, 0), range(2)), freeze)
    same = [torch.equal(value, before[name]) for name, value in state.model.named_buffers()]
    assert all(same) if freeze else not any(same)
    changed = [not torch.equal(v, weights[n]) for n, v in state.model.named_parameters()]
    assert sum(changed) > 0.9 * len(changed)  # the weights are learned in either case


def test_normalisation_is_frozen_after_its_share_of_the_steps(
    settings, anatomy, tmp_path, monkeypatch
):
    frozen = []

    def note(state, settings, batch, freeze_norm):
        frozen.append(freeze_norm)
        return take_step(state, settings, batch, freeze_norm)

    monkeypatch.setattr(loop, "take_step", note)
    run(settings, anatomy, tmp_path)
    assert frozen == [False, False, False, True]


def test_the_loss_falls(settings, anatomy):
    """On one batch, again and again."""
    settings = settings.model_copy(update={"steps": 40, "warmup_steps": 2})
    state = new_state(settings, 0, CPU)
    batch = batch_of(Patches([anatomy], settings, 0), range(2))
    totals = [sum(take_step(state, settings, batch, freeze_norm=False).values()) for _ in range(20)]
    assert totals[-1] < 0.5 * totals[0]


def test_validation_scores_the_average_on_heads_of_its_own(settings, anatomy, monkeypatch):
    """A stand-in that knows the truth scores 1; one that says white matter everywhere does not."""
    truth = []
    draw_patch = loop.draw_patch

    def note(*arguments):
        drawing = draw_patch(*arguments)
        truth.append(drawing.classes)
        return drawing

    monkeypatch.setattr(loop, "draw_patch", note)

    class Knows(torch.nn.Module):
        def forward(self, volume, blocks_mm, wanted):
            rows = loop.block_rows(truth[-1][None], wanted).long()
            return torch.nn.functional.one_hot(rows, CLASSES + 1).float()

    class Guesses(torch.nn.Module):
        def forward(self, volume, blocks_mm, wanted):
            return torch.eye(CLASSES + 1)[1].expand(int(wanted.sum()), 8, -1)

    scores = validation_dice(Knows(), [anatomy, anatomy], CPU)
    assert scores.shape == (2, CLASSES)
    there = [int(number) for number in truth[0].unique()]
    assert len(there) > 10
    assert (scores[0, there] == 1).all()
    guessed = validation_dice(Guesses(), [anatomy], CPU)[0]
    share = (truth[2] == 1).float().mean().item()
    assert guessed[1].item() == pytest.approx(2 * share / (1 + share), abs=0.01)
    assert guessed[there[2:]].sum() == 0


def test_history_holds_the_terms_and_the_validation(settings, anatomy, tmp_path):
    settings = settings.model_copy(update={"steps": 2, "validate_every": 1})
    resume = ResumeFolder(tmp_path, "segmenter", {"seed": 0}, 60)
    state = train_segmenter([anatomy], [anatomy], settings, 0, resume, CPU, workers=0)
    assert [row["step"] for row in state.history] == [1, 2]
    terms = {"train_cross_entropy", "train_dice", "train_side"}
    for row in state.history:
        assert terms <= set(row)
        assert 0 <= row["validation_dice"] < 0.5
