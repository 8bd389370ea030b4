"""The training loop: one explicit function over small steps."""

import logging
import time
from pathlib import Path
from typing import Any

import torch

from brainlapse.networks.autoencoders import log_size
from brainlapse.networks.interface import Heads
from brainlapse.runtime import format_duration
from brainlapse.training.data.batches import batch_rows, draw_batch
from brainlapse.training.data.scans import TrainingData
from brainlapse.training.determinism import require_determinism, seed_everything
from brainlapse.training.devices.processes import ALONE, Processes
from brainlapse.training.heads.centring import centre_heads
from brainlapse.training.loop import schedule
from brainlapse.training.loop.board import Board
from brainlapse.training.loop.memory import compare_memory
from brainlapse.training.loop.plan import Run, plan_run, progress_made
from brainlapse.training.loop.steps import (
    autoencoder_step,
    discriminator_due,
    discriminator_step,
    validation_terms,
)
from brainlapse.training.loop.volume_error import VolumeJudge, validation_volume_error
from brainlapse.training.model.average import update_average
from brainlapse.training.model.state import (
    Best,
    TrainingState,
    add_discriminator,
    new_state,
    pack,
    unpack,
)
from brainlapse.training.resume.checkpoint import ResumeFolder, StopSignals
from brainlapse.training.settings import AutoencoderSettings, TrainingSettings

log = logging.getLogger("brainlapse")


def train(
    settings: AutoencoderSettings,
    data: TrainingData,
    seed: int,
    resume: ResumeFolder,
    device: torch.device,
    precision: str = "float32",
    processes: Processes = ALONE,
    judge: VolumeJudge | None = None,
    board: Path | None = None,
    heads: Heads | None = None,
) -> TrainingState:
    """Train an autoencoder within its budget, from the last checkpoint if there is one.

    Parameters
    ----------
    precision
        float32, bfloat16 or float16.
    processes
        Those that share the work; all of them call this function.
    judge
        Measures regional volumes where they select the weights.
    board
        Folder for TensorBoard, or None.
    heads
        Fresh heads that hold the labels of the training scans, or None.

    Returns
    -------
    TrainingState
        At the end of the budget, the same in all processes; `best` holds the weights to keep.

    Raises
    ------
    TrainingDiverged
        If a loss is no longer finite; the last checkpoint stays.
    OutOfMemory
        If not even a single scan fits into the GPU's memory.
    SystemExit
        After SIGTERM or SIGUSR1, once a checkpoint is written.
    """
    require_determinism()
    run = plan_run(settings, data, seed, device, precision, processes, judge)
    state = _start(run, resume, heads)
    log_size(settings.network.family, state.model)
    with StopSignals() as stop, Board(board) as shown:
        clock = time.monotonic() - state.seconds
        while (done := progress_made(run, state)) < 1:
            epoch = state.step // run.steps_per_epoch
            set_rate(state, settings, done)
            _add_discriminator_when_due(run, state, epoch)
            take_step(run, state, epoch)
            _agree_on_time(run, state, clock)
            finished = progress_made(run, state) >= 1
            if finished or state.step % run.steps_per_epoch == 0:
                close_epoch(run, state, epoch, finished)
                shown.add(state.history[-1])
                _agree_on_time(run, state, clock)
            number = int(processes.largest({"signal": stop.received or 0})["signal"])
            if processes.rank == 0 and (number or resume.due()):
                resume.save(pack(state))
            if number:
                log.info("signal %d at step %d: checkpoint written", number, state.step)
                raise SystemExit(128 + number)
    if run.engine.processes.rank == 0:
        resume.save(pack(state))
    return state


def set_rate(state: TrainingState, settings: AutoencoderSettings, progress: float) -> None:
    """Set the autoencoder's learning rate for this part of the run."""
    rate = settings.training.learning_rate * schedule.rate_factor(settings.training, progress)
    for group in state.optimiser.param_groups:
        group["lr"] = rate


def take_step(run: Run, state: TrainingState, epoch: int) -> None:
    """Draw and augment a batch, update both networks, add up the terms."""
    training, rows = run.settings.training, batch_rows(run, state.step)
    batch = draw_batch(run, state.step, epoch, rows)
    seed_everything(run.seed, "step", state.step)
    terms, reconstruction = autoencoder_step(state, batch, run.engine)
    if state.discriminator is not None:
        terms["discriminator"] = discriminator_step(state, batch, reconstruction, run.engine)
    state.scaler.update()
    state.step += 1
    if state.average is not None:
        update_average(state.average, state.model, training.ema_decay, state.step)
    for name, value in terms.items():
        state.sums[name] = state.sums.get(name, 0.0) + value * len(rows)
    state.scans_seen += len(rows)


def close_epoch(run: Run, state: TrainingState, epoch: int, finished: bool) -> None:
    """Average the epoch's terms, look at the validation scans, keep the better weights."""
    training, data = run.settings.training, run.data
    row: dict[str, Any] = {
        "epoch": epoch, "step": state.step, "seconds": round(state.seconds, 1),
        "lr": state.optimiser.param_groups[0]["lr"],
    }  # fmt: skip
    row |= {f"train_{name}": total / state.scans_seen for name, total in state.sums.items()}
    state.sums, state.scans_seen = {}, 0
    side = "validation" if data.validation.names else "train"
    if side == "validation" and (finished or (epoch + 1) % training.validate_every == 0):
        found = validation_terms(state, data.validation, run.engine)
        if run.judge is not None:
            found["volume_error_pct"] = validation_volume_error(
                state, data.validation, run.engine, run.judge
            )
        row |= {f"validation_{name}": value for name, value in found.items()}
        keep_better(state, row[f"validation_{selection_term(training)}"], epoch, run.settings)
    elif finished and side == "train":
        keep_better(state, row["train_l1"], epoch, run.settings)
    state.history.append(row)
    _log_epoch(row, progress_made(run, state))


def selection_term(training: TrainingSettings) -> str:
    """Return the validation term that picks the kept weights, as the history calls it."""
    terms = {"volumes": "volume_error_pct", "last": "l1"}
    return terms.get(training.selection, training.selection)


def keep_better(
    state: TrainingState, value: float, epoch: int, settings: AutoencoderSettings
) -> None:
    """Keep a copy of the weights if `value` is the lowest so far, or the last ones are wanted.

    Epochs before the adversarial term lack a part of the loss, mostly with the lower L1: once it
    has begun they no longer compete, or it could never be kept.
    """
    best = state.best
    begun = state.discriminator is not None
    outdated = begun and best is not None and best.epoch < settings.loss.adversarial_start_epoch
    always = settings.training.selection == "last" or outdated
    if best is None or always or value < best.value:
        weights = state.judged.state_dict().items()
        state.best = Best(value, epoch, {name: w.detach().cpu().clone() for name, w in weights})


def _start(run: Run, resume: ResumeFolder, heads: Heads | None) -> TrainingState:
    engine = run.engine
    if engine.processes.rank == 0:
        resume.open()
    engine.processes.wait()
    setup = run.settings, run.data.grid.shape, run.seed, engine.device, engine.precision, heads
    state = resume.restore(lambda packed: unpack(packed, *setup))
    _agree_on_checkpoint(engine.processes, state.step if state else 0, resume.path)
    if state is not None:
        log.info("training goes on from step %d (%s)", state.step, resume.path)
        return state
    if engine.processes.rank == 0:
        compare_memory(engine, run.data.grid.shape, run.seed)
    state = new_state(*setup)
    if heads is not None:
        centre_heads(state, run.data.train, engine)
    return state


def _agree_on_checkpoint(processes: Processes, step: int, folder: Path) -> None:
    """Refuse to go on from different steps: a network file system may be late on some node."""
    found = processes.largest({"last": step, "first": -step})
    if found["last"] + found["first"]:
        message = (
            f"{folder}: expected the same checkpoint in all processes, found steps "
            f"{-found['first']:.0f} and {found['last']:.0f}; keep the output folder where all "
            "nodes see it alike, and run the same command again"
        )
        raise RuntimeError(message)


def _agree_on_time(run: Run, state: TrainingState, clock: float) -> None:
    """Set the time used to that of the slowest process, so that all end at the same step."""
    found = run.engine.processes.largest({"seconds": time.monotonic() - clock})
    state.seconds = found["seconds"]


def _add_discriminator_when_due(run: Run, state: TrainingState, epoch: int) -> None:
    if state.discriminator is None and discriminator_due(run.settings.loss, epoch):
        add_discriminator(state, run.settings, run.seed, run.engine.device)


def _log_epoch(row: dict[str, float], progress: float) -> None:
    left = format_duration(row["seconds"] * (1 - progress) / progress)
    terms = ", ".join(f"{name} {value:.4g}" for name, value in row.items() if "_" in name)
    log.info("epoch %d, step %d: %s; %s left", row["epoch"], row["step"], terms, left)
