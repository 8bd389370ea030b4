"""The training loop: one explicit function over small steps."""

import logging
import math
import time
from dataclasses import dataclass

import torch
from torch import nn

from brainlapse.networks.perceptual import PerceptualDistance, build_features
from brainlapse.runtime import format_duration
from brainlapse.space import Grid
from brainlapse.training import schedule
from brainlapse.training.augmentation import augment
from brainlapse.training.checkpoint import ResumeFolder, StopSignals
from brainlapse.training.data import TrainingData, epoch_order, to_batch
from brainlapse.training.determinism import require_determinism, seed_everything
from brainlapse.training.settings import AutoencoderSettings, PerceptualSettings
from brainlapse.training.state import (
    Best,
    TrainingState,
    add_discriminator,
    new_state,
    pack,
    unpack,
)
from brainlapse.training.steps import (
    autoencoder_step,
    describe_place,
    discriminator_due,
    discriminator_step,
    validation_terms,
)

log = logging.getLogger("brainlapse")


@dataclass(frozen=True)
class Run:
    """What stays the same throughout a training run.

    Attributes
    ----------
    perceptual
        Distance of two volumes, or None without the perceptual term.
    steps_per_epoch, steps
        Updates per pass over the training scans, and of the whole run if time allows.
    """

    settings: AutoencoderSettings
    data: TrainingData
    seed: int
    device: torch.device
    perceptual: nn.Module | None
    steps_per_epoch: int
    steps: int


def train(
    settings: AutoencoderSettings,
    data: TrainingData,
    seed: int,
    resume: ResumeFolder,
    device: torch.device,
) -> TrainingState:
    """Train an autoencoder within its budget, from the last checkpoint if there is one.

    Returns
    -------
    TrainingState
        At the end of the budget; `best` holds the weights to keep.

    Raises
    ------
    TrainingDiverged
        If a loss is no longer finite; the last checkpoint stays.
    SystemExit
        After SIGTERM or SIGUSR1, once a checkpoint is written.
    """
    require_determinism()
    run = plan_run(settings, data, seed, device)
    state = _start(run, resume)
    with StopSignals() as stop:
        clock = time.monotonic() - state.seconds
        while (done := progress_made(run, state)) < 1:
            epoch = state.step // run.steps_per_epoch
            set_rate(state, settings, done)
            _add_discriminator_when_due(run, state, epoch)
            take_step(run, state, epoch)
            state.seconds = time.monotonic() - clock
            finished = progress_made(run, state) >= 1
            if finished or state.step % run.steps_per_epoch == 0:
                close_epoch(run, state, epoch, finished)
                state.seconds = time.monotonic() - clock
            if stop.received or resume.due():
                resume.save(pack(state))
            if stop.received:
                log.info("signal %d at step %d: checkpoint written", stop.received, state.step)
                raise SystemExit(128 + stop.received)
    return state


def plan_run(
    settings: AutoencoderSettings, data: TrainingData, seed: int, device: torch.device
) -> Run:
    """Fix the length of a run, build its feature network, and log both."""
    scans, loss = len(data.train.names), settings.loss
    steps = schedule.total_steps(settings.training, scans)
    per_epoch = schedule.steps_per_epoch(settings.training, scans)
    epochs, validation = math.ceil(steps / per_epoch), len(data.validation.names)
    log.info("%d training and %d validation scans", scans, validation)
    log.info("at most %d steps in %d epochs", steps, epochs)
    if not validation:
        log.warning("no validation scans: the weights of the last epoch are kept")
    if loss.adversarial_weight > 0 and epochs <= loss.adversarial_start_epoch:
        log.info(
            "the adversarial term would begin in epoch %d: never", loss.adversarial_start_epoch
        )
    perceptual = build_perceptual(loss.perceptual, data.grid, device)
    return Run(settings, data, seed, device, perceptual, per_epoch, steps)


def build_perceptual(
    settings: PerceptualSettings, grid: Grid, device: torch.device
) -> nn.Module | None:
    """Build the distance of volumes on a grid, or None where the config names no network."""
    if settings.network == "none" or settings.weight == 0:
        return None
    return PerceptualDistance(build_features(settings.network, settings.folder, grid)).to(device)


def progress_made(run: Run, state: TrainingState) -> float:
    """Part of the budget used, 0 to 1."""
    minutes = state.seconds / 60
    return schedule.progress_made(run.settings.training, state.step, run.steps, minutes)


def set_rate(state: TrainingState, settings: AutoencoderSettings, progress: float) -> None:
    """Set the autoencoder's learning rate for this part of the run."""
    rate = settings.training.learning_rate * schedule.rate_factor(settings.training, progress)
    for group in state.optimiser.param_groups:
        group["lr"] = rate


def take_step(run: Run, state: TrainingState, epoch: int) -> None:
    """Draw and augment a batch, update both networks, add up the terms."""
    seed_everything(run.seed, "step", state.step)
    rows = batch_rows(run, state.step)
    volume = to_batch(run.data.train.volumes[rows], run.device)  # (B, 1, D, H, W)
    volume = augment(volume, run.settings.augmentation, run.data.voxel_mm)
    place = describe_place(epoch, state.step, [run.data.train.names[row] for row in rows])
    terms, reconstruction = autoencoder_step(state, volume, run.settings, run.perceptual, place)
    if state.discriminator is not None:
        terms["discriminator"] = discriminator_step(state, volume, reconstruction)
    for name, value in terms.items():
        state.sums[name] = state.sums.get(name, 0.0) + value * len(rows)
    state.scans_seen += len(rows)
    state.step += 1


def batch_rows(run: Run, step: int) -> list[int]:
    """Return the training scans of a step; depends on seed and step alone."""
    epoch, position = divmod(step, run.steps_per_epoch)
    size = run.settings.training.batch_size
    order = epoch_order(len(run.data.train.names), run.seed, epoch)
    return order[position * size : (position + 1) * size].tolist()


def close_epoch(run: Run, state: TrainingState, epoch: int, finished: bool) -> None:
    """Average the epoch's terms, look at the validation scans, keep the better weights."""
    training, data = run.settings.training, run.data
    row = {"epoch": epoch, "step": state.step, "seconds": round(state.seconds, 1)}
    row["lr"] = state.optimiser.param_groups[0]["lr"]
    row |= {f"train_{name}": total / state.scans_seen for name, total in state.sums.items()}
    state.sums, state.scans_seen = {}, 0
    if data.validation.names and (finished or (epoch + 1) % training.validate_every == 0):
        found = validation_terms(state, data.validation, run.settings, run.perceptual, run.device)
        row |= {f"validation_{name}": value for name, value in found.items()}
        keep_better(state, found[training.selection], epoch)
    elif finished and not data.validation.names:
        keep_better(state, row[f"train_{training.selection}"], epoch)
    state.history.append(row)
    _log_epoch(row, progress_made(run, state))


def keep_better(state: TrainingState, value: float, epoch: int) -> None:
    """Keep a copy of the weights if `value` is the lowest so far."""
    if state.best is None or value < state.best.value:
        weights = state.model.state_dict().items()
        state.best = Best(value, epoch, {name: w.detach().cpu().clone() for name, w in weights})


def _start(run: Run, resume: ResumeFolder) -> TrainingState:
    resume.open()
    packed = resume.load()
    if packed is None:
        return new_state(run.settings, run.data.grid.shape, run.seed, run.device)
    log.info("training goes on from step %d (%s)", packed["step"], resume.path)
    return unpack(packed, run.settings, run.data.grid.shape, run.seed, run.device)


def _add_discriminator_when_due(run: Run, state: TrainingState, epoch: int) -> None:
    if state.discriminator is None and discriminator_due(run.settings.loss, epoch):
        add_discriminator(state, run.settings, run.seed, run.device)


def _log_epoch(row: dict[str, float], progress: float) -> None:
    left = format_duration(row["seconds"] * (1 - progress) / progress)
    terms = ", ".join(f"{name} {value:.4g}" for name, value in row.items() if "_" in name)
    log.info("epoch %d, step %d: %s; %s left", row["epoch"], row["step"], terms, left)
