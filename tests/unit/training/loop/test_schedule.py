"""End points of the learning-rate schedule and of the budget."""

import pytest

from brainlapse.training.loop import schedule
from brainlapse.training.settings import TrainingSettings


def test_rate_rises_to_its_peak_and_falls_to_its_end():
    settings = TrainingSettings(warmup_fraction=0.1, final_rate_fraction=0.02)
    factors = [schedule.rate_factor(settings, part / 1000) for part in range(1001)]
    assert factors[0] == pytest.approx(0.1)
    assert max(factors) == factors[100] == pytest.approx(1)
    assert factors[-1] == pytest.approx(0.02)
    assert factors[100:] == sorted(factors[100:], reverse=True)


def test_rate_without_warmup_starts_at_its_peak():
    assert schedule.rate_factor(TrainingSettings(warmup_fraction=0), 0.0) == 1


def test_first_limit_reached_ends_the_run():
    settings = TrainingSettings(epochs=10, batch_size=4)
    assert schedule.total_steps(settings, 9) == 30  # the last batch of an epoch holds one scan
    assert schedule.total_steps(settings.model_copy(update={"steps": 7}), 9) == 7
    timed = settings.model_copy(update={"max_minutes": 2.0})
    assert schedule.progress_made(timed, step=3, steps=30, minutes=1.0) == 0.5
    assert schedule.progress_made(timed, step=29, steps=30, minutes=5.0) == 1
