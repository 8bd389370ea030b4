"""kill -9 at a random moment of a run with other settings, then the first settings again."""

import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.faults.damage import CONTENT, damage
from benchmarks.faults.reference import Reference
from benchmarks.faults.runs import LIMIT_S, Place, started, with_settings
from benchmarks.faults.trials import STUCK, Trial
from brainlapse.guard import descendants

CHANGES: dict[str, dict[str, Any]] = {
    "space": {"space": {"voxel_mm": 4.5}},
    "registration": {"preprocess": {"registration": {"voxel_mm": 5.0}}},
    "training": {"autoencoders": {"small": {"training": {"steps": 40}}}},
    "analysis": {"analysis": {"components": 2}},
    "seed": {"seed": 11},
    "title": {"report": {"title": "other"}},
}
DONE = re.compile(r"\((\d+)%\) done")
VICTIMS = ("the run", "the run and all its jobs", "one job")
LONGEST_DELAY_S = 2.0


def kills(reference: Reference, folder: Path, rng: random.Random, trials: int) -> Iterator[Trial]:
    """Run A to the end, B until it is killed, A again: nothing of B may be left."""
    for number in range(trials):
        change, victim = rng.choice(list(CHANGES)), rng.choice(VICTIMS)
        percent, delay_s = rng.randrange(90), rng.uniform(0, LONGEST_DELAY_S)
        other = with_settings(reference.place.settings, CHANGES[change])
        place = reference.copy_to(folder / f"kill{number}")
        fault = f"other {change}, {victim} killed {delay_s:.1f} s after {percent} %"
        killed = kill(replace(place, settings=other), victim, percent, delay_s, rng)
        if killed:
            fault += damage_disposable(place, rng)
            yield Trial("kill", fault, *reference.judge(place))
        else:
            yield Trial("kill", fault, STUCK, "the run to be killed hung")
        shutil.rmtree(place.folder)


def kill(place: Place, victim: str, percent: int, delay_s: float, rng: random.Random) -> bool:
    """Run, and kill when so much is done; return False if the run hung."""
    log = place.folder / "killed.log"
    deadline = time.monotonic() + LIMIT_S
    with started(place.command(), log) as process:
        while process.poll() is None and _percent(log) < percent:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.2)
        time.sleep(delay_s)
        if victim == "one job":
            return _lose_a_job(process, rng, deadline)
        if victim == "the run":
            process.kill()
            process.wait()
            time.sleep(rng.uniform(0, LONGEST_DELAY_S))  # jobs end by themselves
    return True


def damage_disposable(place: Place, rng: random.Random) -> str:
    """Damage, in every other case, what the killed run had put by; say what."""
    folder = place.results / ".resume"
    kept = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".lock"]
    if not kept or rng.random() < 0.5:
        return ""
    path, how = rng.choice(kept), rng.choice(list(CONTENT))
    damage(path, how, kept, rng, keep_time=False)
    return f", {path.relative_to(folder)}: {how}"


def _percent(log: Path) -> int:
    found = DONE.findall(log.read_text(errors="replace"))
    return int(found[-1]) if found else 0


def _lose_a_job(process: subprocess.Popen, rng: random.Random, deadline: float) -> bool:
    """Kill a process of the run as the system does that lacks memory; the run goes on."""
    if jobs := descendants(process.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(rng.choice(sorted(jobs)), signal.SIGKILL)
    try:
        process.wait(timeout=max(1.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return False
    return True


PARTS: dict[str, Callable] = {"kill": kills}
