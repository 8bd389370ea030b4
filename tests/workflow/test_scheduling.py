"""Snakemake looks for jobs when one has ended, not once a second for every job that ever has."""

import runpy
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.scheduling.job_scheduler import JobScheduler

RULES = Path(__file__).parents[2] / "workflow/rules/scheduling.smk"


@pytest.fixture
def look_again(monkeypatch):
    monkeypatch.setattr(JobScheduler, "_schedule_reevalutation", None)  # put back afterwards
    runpy.run_path(str(RULES))
    return JobScheduler._schedule_reevalutation


def test_one_timer_waits_however_many_are_asked_for(look_again):
    scheduler = SimpleNamespace(_open_jobs=threading.Semaphore(0))
    for _ in range(50):
        look_again(scheduler, 0.05)
    assert scheduler._open_jobs.acquire(timeout=10)
    assert not scheduler._open_jobs.acquire(timeout=0.3)
    look_again(scheduler, 0.01)  # and the next look can be asked for
    assert scheduler._open_jobs.acquire(timeout=10)


def test_snakemake_still_asks_in_the_way_that_is_replaced():
    source = Path(JobScheduler.schedule.__code__.co_filename).read_text()
    assert "self._schedule_reevalutation(self.job_rate_limiter.timespan)" in source
