"""Training of the segmenter: one explicit loop that goes on from its last checkpoint."""

import logging
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from brainlapse.networks.segmenter import (
    Segmenter,
    block_positions,
    block_rows,
    build_segmenter,
    mask_blocks,
)
from brainlapse.runtime import format_duration
from brainlapse.segmentation.classes import CLASSES
from brainlapse.segmenter.anatomies import Anatomy
from brainlapse.segmenter.deformation import GRID, SHAPE
from brainlapse.segmenter.objective import dice_scores, segmentation_terms
from brainlapse.segmenter.settings import SegmenterSettings, SynthesisSettings
from brainlapse.segmenter.synthesis import draw_patch
from brainlapse.training.resume.checkpoint import ResumeFolder, StopSignals

LOG_EVERY = 50
VALIDATION_SEED = 10**6
PLAIN = SynthesisSettings(
    rotation_deg=1, shift_mm=1, scale=0.02, shear=0.01, warp_mm=0.5, ventricle_mm=(0, 0),
    random_contrast=0, resolution_mm=1, bias=0.05, noise=0.03, decoded=0,
)  # fmt: skip
"""Validation heads: T1-weighted, 1 mm, little moved."""

log = logging.getLogger("brainlapse")


@dataclass
class SegmenterState:
    """Everything that a checkpoint holds. Drawings depend on seed and number alone."""

    model: Segmenter
    average: Segmenter
    optimiser: torch.optim.Optimizer
    step: int = 0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)


class Patches(Dataset):
    """Drawings by number: the same seed and number give the same patch, in any process."""

    def __init__(self, anatomies: list[Anatomy], settings: SegmenterSettings, seed: int) -> None:
        self.anatomies, self.settings, self.seed = anatomies, settings, seed

    def __len__(self) -> int:
        return self.settings.steps * self.settings.batch_size

    def __getitem__(self, number: int) -> tuple[Tensor, ...]:
        """Image (1, D, H, W), blocks learned from, classes, right, positions of the blocks."""
        torch.set_num_threads(1)
        rng = np.random.default_rng([self.seed, number])
        anatomy = self.anatomies[int(rng.integers(len(self.anatomies)))]
        drawn = draw_patch(anatomy, self.settings.synthesis, self.settings.patch, rng)
        blocks_mm = block_positions(torch.from_numpy(GRID.affine), self.settings.patch, drawn.first)
        wanted = mask_blocks(drawn.mask[None])[0]
        chosen = torch.from_numpy(rng.random(tuple(wanted.shape)) < self.settings.voxel_share)
        return drawn.image[None], wanted & chosen, drawn.classes, drawn.right, blocks_mm


def train_segmenter(
    anatomies: list[Anatomy],
    validation: list[Anatomy],
    settings: SegmenterSettings,
    seed: int,
    resume: ResumeFolder,
    device: torch.device,
    workers: int,
) -> SegmenterState:
    """Train within the number of steps, from the last checkpoint if there is one.

    Returns
    -------
    SegmenterState
        `average` is the network to keep.

    Raises
    ------
    FloatingPointError
        If the loss is no longer finite; the last checkpoint stays.
    SystemExit
        After SIGTERM or SIGUSR1, once a checkpoint is written.
    """
    state = _start(settings, seed, resume, device)
    clock = time.monotonic() - state.seconds
    with StopSignals() as stop:
        for batch in _batches(anatomies, settings, seed, state.step, workers):
            freeze = state.step >= settings.freeze_norm * settings.steps
            terms = take_step(state, settings, [part.to(device) for part in batch], freeze)
            state.seconds = time.monotonic() - clock
            if state.step % LOG_EVERY == 0 or state.step == settings.steps:
                _log_step(state, settings, terms)
            if state.step % settings.validate_every == 0 or state.step == settings.steps:
                _validate(state, validation, terms)
            if stop.received or resume.due():
                resume.save(_pack(state))
            if stop.received:
                log.info("signal %d at step %d: checkpoint written", stop.received, state.step)
                raise SystemExit(128 + stop.received)
    resume.save(_pack(state))
    return state


def rate_at(settings: SegmenterSettings, step: int) -> float:
    """Learning rate of a step: a linear rise, then a half cosine down to 1 % of the peak."""
    if step < settings.warmup_steps:
        return settings.learning_rate * (step + 1) / (settings.warmup_steps + 1)
    done = (step - settings.warmup_steps) / max(1, settings.steps - settings.warmup_steps)
    return settings.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))


def take_step(
    state: SegmenterState, settings: SegmenterSettings, batch: list[Tensor], freeze_norm: bool
) -> dict[str, float]:
    """One update of the weights and of their average; returns the terms of the loss."""
    image, wanted, classes, right, blocks_mm = batch
    _set_training(state.model, freeze_norm)
    for group in state.optimiser.param_groups:
        group["lr"] = rate_at(settings, state.step)
    with torch.autocast(image.device.type, torch.bfloat16):
        logits = state.model(image, blocks_mm, wanted)
    terms = segmentation_terms(
        logits, block_rows(classes, wanted).long(), block_rows(right, wanted)
    )
    loss = torch.stack(list(terms.values())).sum()
    if not torch.isfinite(loss):
        values = {name: term.item() for name, term in terms.items()}
        message = f"step {state.step}: the loss is not finite ({values}); lower the learning rate"
        raise FloatingPointError(message)
    state.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(state.model.parameters(), 5.0)
    state.optimiser.step()
    state.step += 1
    update_average(state.average, state.model, settings.averaging, state.step)
    return {name: term.item() for name, term in terms.items()}


@torch.no_grad()
def update_average(average: nn.Module, model: nn.Module, decay: float, step: int) -> None:
    """Move the average towards the weights; faster in the first steps, when they mean little."""
    share = 1 - min(decay, step / (step + 10))
    for kept, current in zip(
        average.state_dict().values(), model.state_dict().values(), strict=True
    ):
        if kept.is_floating_point():
            kept.lerp_(current, share)
        else:
            kept.copy_(current)


@torch.no_grad()
def validation_dice(model: Segmenter, anatomies: list[Anatomy], device: torch.device) -> Tensor:
    """Dice of every class on whole heads drawn from label maps kept out of training.

    Returns
    -------
    Tensor
        (heads, CLASSES).
    """
    model.eval()
    scores = []
    blocks_mm = block_positions(torch.from_numpy(GRID.affine), SHAPE)[None]
    for number, anatomy in enumerate(anatomies):
        rng = np.random.default_rng([VALIDATION_SEED, number])
        drawn = draw_patch(anatomy, PLAIN, SHAPE, rng)
        wanted = mask_blocks(drawn.mask[None])
        with torch.autocast(device.type, torch.bfloat16):
            logits = model(
                drawn.image[None, None].to(device), blocks_mm.to(device), wanted.to(device)
            )
        found = logits[..., :CLASSES].argmax(dim=-1).cpu()
        truth = block_rows(drawn.classes[None], wanted)
        scores.append(dice_scores(found, truth.long(), CLASSES))
    return torch.stack(scores)


def _validate(state: SegmenterState, anatomies: list[Anatomy], terms: dict[str, float]) -> None:
    row = {"step": state.step, "seconds": round(state.seconds, 1)}
    row |= {f"train_{name}": value for name, value in terms.items()}
    if anatomies:
        device = next(state.average.parameters()).device
        scores = validation_dice(state.average, anatomies, device)
        means = scores.nanmean(dim=0)
        row["validation_dice"] = float(means[1:].nanmean())
        row |= {f"dice_class_{n}": round(float(v), 4) for n, v in enumerate(means) if n}
        log.info("step %d: mean Dice of validation heads %.3f", state.step, row["validation_dice"])
    state.history.append(row)


def _batches(
    anatomies: list[Anatomy], settings: SegmenterSettings, seed: int, step: int, workers: int
) -> Iterator[list[Tensor]]:
    patches = Patches(anatomies, settings, seed)
    numbers = range(step * settings.batch_size, len(patches))
    return iter(
        DataLoader(
            patches,
            batch_size=settings.batch_size,
            sampler=numbers,
            num_workers=workers,
            prefetch_factor=2 if workers else None,
        )
    )


def _set_training(model: Segmenter, freeze_norm: bool) -> None:
    model.train()
    if freeze_norm:
        for module in model.modules():
            if isinstance(module, nn.BatchNorm3d):
                module.eval()


def new_state(settings: SegmenterSettings, seed: int, device: torch.device) -> SegmenterState:
    """Fresh weights, by the seed alone."""
    torch.manual_seed(seed)
    model, average = (build_segmenter(CLASSES, device) for _ in range(2))
    average.load_state_dict(model.state_dict())
    average.requires_grad_(False)
    optimiser = torch.optim.AdamW(
        model.parameters(), settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    return SegmenterState(model, average, optimiser)


def _start(
    settings: SegmenterSettings, seed: int, resume: ResumeFolder, device: torch.device
) -> SegmenterState:
    resume.open()
    state = resume.restore(lambda packed: _unpack(packed, settings, seed, device))
    if state is None:
        return new_state(settings, seed, device)
    log.info("training goes on from step %d (%s)", state.step, resume.path)
    return state


def _unpack(
    packed: dict[str, Any], settings: SegmenterSettings, seed: int, device: torch.device
) -> SegmenterState:
    state = new_state(settings, seed, device)
    for part in ("model", "average", "optimiser"):
        getattr(state, part).load_state_dict(packed[part])
    state.step, state.seconds = packed["step"], packed["seconds"]
    state.history = packed["history"]
    return state


def _pack(state: SegmenterState) -> dict[str, Any]:
    return {
        "model": state.model.state_dict(),
        "average": state.average.state_dict(),
        "optimiser": state.optimiser.state_dict(),
        "step": state.step,
        "seconds": state.seconds,
        "history": state.history,
    }


def _log_step(state: SegmenterState, settings: SegmenterSettings, terms: dict[str, float]) -> None:
    left = format_duration(state.seconds * (settings.steps - state.step) / state.step)
    listed = ", ".join(f"{name} {value:.3f}" for name, value in terms.items())
    log.info("step %d of %d: %s; %s left", state.step, settings.steps, listed, left)
