"""What a training run keeps throughout, and how long it is."""

import logging
import math
from dataclasses import dataclass

import torch
from torch import nn

from brainlapse.networks.perceptual import PerceptualDistance, build_features
from brainlapse.space import Grid
from brainlapse.training.data.scans import ReadAhead, TrainingData
from brainlapse.training.devices.processes import ALONE, Processes
from brainlapse.training.loop import schedule
from brainlapse.training.loop.loss_settings import PerceptualSettings
from brainlapse.training.loop.steps import Engine, build_engine
from brainlapse.training.loop.volume_error import VolumeJudge
from brainlapse.training.model.precision import MixedFeatures
from brainlapse.training.model.state import TrainingState
from brainlapse.training.settings import AutoencoderSettings

log = logging.getLogger("brainlapse")


@dataclass(frozen=True)
class Run:
    """What stays the same throughout a training run.

    Attributes
    ----------
    steps_per_epoch, steps
        Updates per pass over the training scans, and of the whole run if time allows.
    judge
        Measures regional volumes, or None where they don't select the weights.
    """

    engine: Engine
    data: TrainingData
    reader: ReadAhead
    seed: int
    steps_per_epoch: int
    steps: int
    judge: VolumeJudge | None

    @property
    def settings(self) -> AutoencoderSettings:
        """Of the model."""
        return self.engine.settings


def plan_run(
    settings: AutoencoderSettings,
    data: TrainingData,
    seed: int,
    device: torch.device,
    precision: str = "float32",
    processes: Processes = ALONE,
    judge: VolumeJudge | None = None,
) -> Run:
    """Fix the length of a run, build its feature network, and log both."""
    scans, loss = len(data.train.names), settings.loss
    steps = schedule.total_steps(settings.training, scans)
    per_epoch = schedule.steps_per_epoch(settings.training, scans)
    epochs, validation = math.ceil(steps / per_epoch), len(data.validation.names)
    log.info("%d training and %d validation scans; %s", scans, validation, precision)
    log.info("at most %d steps in %d epochs", steps, epochs)
    if not validation:
        log.warning("no validation scans: the weights of the last epoch are kept")
    if loss.adversarial_weight > 0 and epochs <= loss.adversarial_start_epoch:
        log.info(
            "the adversarial term would begin in epoch %d: never", loss.adversarial_start_epoch
        )
    perceptual = build_perceptual(loss.perceptual, data.grid, device, precision)
    engine = build_engine(settings, device, perceptual, precision, processes)
    return Run(engine, data, ReadAhead(data.train), seed, per_epoch, steps, judge)


def build_perceptual(
    settings: PerceptualSettings, grid: Grid, device: torch.device, precision: str = "float32"
) -> nn.Module | None:
    """Build the distance of volumes on a grid, or None where the config names no network."""
    if settings.network == "none" or settings.weight == 0:
        return None
    features = build_features(settings.network, settings.folder, grid)
    return PerceptualDistance(MixedFeatures(features, precision)).to(device)


def progress_made(run: Run, state: TrainingState) -> float:
    """Part of the budget used, 0 to 1."""
    minutes = state.seconds / 60
    return schedule.progress_made(run.settings.training, state.step, run.steps, minutes)
