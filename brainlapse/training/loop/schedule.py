"""Learning rate as a pure function of how much of the run is done."""

import math

from brainlapse.training.settings import TrainingSettings


def total_steps(settings: TrainingSettings, training_scans: int) -> int:
    """Count the updates of a run without time limit: epochs or steps, whichever ends first."""
    by_epochs = settings.epochs * steps_per_epoch(settings, training_scans)
    return by_epochs if settings.steps is None else min(by_epochs, settings.steps)


def steps_per_epoch(settings: TrainingSettings, training_scans: int) -> int:
    """Count the updates per pass over the training scans; the last one may hold fewer scans."""
    return math.ceil(training_scans / settings.batch_size)


def progress_made(settings: TrainingSettings, step: int, steps: int, minutes: float) -> float:
    """Part of the budget used, 0 to 1: by steps or by time, whichever is further."""
    by_time = minutes / settings.max_minutes if settings.max_minutes else 0.0
    return min(1.0, max(step / steps, by_time))


def rate_factor(settings: TrainingSettings, progress: float) -> float:
    """Learning rate as part of its peak: a linear rise, then a half cosine down.

    `progress` is 0 at the first update and would be 1 after the last.
    """
    warmup = settings.warmup_fraction
    if progress < warmup:
        return 0.1 + 0.9 * progress / warmup
    fall = (progress - warmup) / (1 - warmup)
    low = settings.final_rate_fraction
    return low + (1 - low) * 0.5 * (1 + math.cos(math.pi * fall))
