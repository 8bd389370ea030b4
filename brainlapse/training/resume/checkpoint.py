"""Resume state of a training run, kept outside the declared outputs.

One folder per run, named by model and fingerprint, holds `state.pt` (our own file, read back
with `weights_only=True`: tensors and plain values, never code) and `identity.json`, which
says what the fingerprint was made of.
"""

import contextlib
import hashlib
import json
import logging
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import torch

from brainlapse.damage import DamagedFile, is_machine_fault
from brainlapse.ownership import FINISHED_NAME
from brainlapse.runtime import atomic_path, read_json, write_json
from brainlapse.training.model.start_settings import start_digest

STATE_NAME = "state.pt"
IDENTITY_NAME = "identity.json"

log = logging.getLogger("brainlapse")
State = TypeVar("State")


def fingerprint(identity: dict[str, Any]) -> str:
    """Hash what a run depends on, 16 hexadecimal digits."""
    text = json.dumps(identity, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def file_states(paths: list[str]) -> list[tuple[int, int]]:
    """Size and modification time [ns] of files: a cheap sign that their content is the same."""
    return [(stat.st_size, stat.st_mtime_ns) for stat in map(Path.stat, map(Path, paths))]


def describe_run(
    settings: dict[str, Any],
    code: dict[str, str],
    selection: list[list[str]],
    seed: int,
    space: dict[str, Any],
    device: str,
    precision: str,
    processes: int,
) -> dict[str, Any]:
    """Collect everything that a run's numbers depend on; a checkpoint fits only the same.

    Parameters
    ----------
    settings, code, seed, space
        Of the model: its settings, the code fingerprint, the seed and the grid.
    selection
        Rows of dataset, scan, split and path; the files' sizes and times are added.
    device
        Kind of device (cpu, cuda): the arithmetic differs.
    precision
        As resolved for the device: float32, bfloat16 or float16.
    processes
        Number of them: sums are made in another order.
    """
    return {
        "settings": settings,
        "start": start_digest(settings.get("start")),
        "code": code,
        "scans": selection,
        "preprocessed files": file_states([row[3] for row in selection]),
        "seed": seed,
        "space": space,
        "device": device,
        "precision": precision,
        "processes": processes,
        "torch": torch.__version__,
    }


class ResumeFolder:
    """Checkpoints of one run under `root`/<model>-<fingerprint>/."""

    def __init__(
        self, root: str | Path, model: str, identity: dict[str, Any], minutes: float
    ) -> None:
        self.root, self.model = Path(root), model
        self.identity = json.loads(json.dumps(identity))  # tuples become lists, as when read back
        self.path = self.root / f"{model}-{fingerprint(self.identity)}"
        self.minutes = minutes
        self.saved_at = time.monotonic()

    def open(self) -> None:
        """Make the folder; checkpoints of another setup are dropped, and the log says why."""
        for folder in sorted(self.root.glob(f"{self.model}-" + "?" * 16)):
            if folder != self.path:
                log.info(
                    "training starts afresh: %s changed since %s", self._changes(folder), folder
                )
                shutil.rmtree(folder)
        self.path.mkdir(parents=True, exist_ok=True)
        write_json(self.path / IDENTITY_NAME, self.identity)

    def _changes(self, folder: Path) -> str:
        try:
            other = read_json(folder / IDENTITY_NAME)
        except (OSError, DamagedFile):
            return "an unknown part"
        parts = sorted(set(self.identity) | set(other))
        return ", ".join(part for part in parts if self.identity.get(part) != other.get(part))

    def restore(self, unpack: Callable[[dict[str, Any]], State]) -> State | None:
        """Return what `unpack` makes of the last checkpoint, or None if there is none yet.

        One that was cut, emptied or put there by somebody else is moved aside, and the log says
        so: it must not stand in the way of a fresh start.
        """
        path = self.path / STATE_NAME
        if not path.is_file():
            return None
        try:
            return unpack(torch.load(path, map_location="cpu", weights_only=True))
        except Exception as error:
            if is_machine_fault(error):
                raise
            aside = path.with_suffix(".damaged")
            with contextlib.suppress(FileNotFoundError):  # another process was first
                path.replace(aside)
            found = f"{type(error).__name__}: {error}".partition("\n")[0]
            log.warning(
                "%s: the checkpoint can't be used (%s); it is kept as %s and training starts "
                "afresh", path, found, aside.name,
            )  # fmt: skip
            return None

    def save(self, state: dict[str, Any]) -> None:
        """Replace the checkpoint; a full disk or a kill leaves the last one whole."""
        with atomic_path(self.path / STATE_NAME) as temporary:
            torch.save(state, temporary)
        self.saved_at = time.monotonic()

    def due(self) -> bool:
        """Tell whether the time between checkpoints has passed."""
        return time.monotonic() - self.saved_at >= 60 * self.minutes

    def finish(self) -> None:
        """Say that the outputs are in place; `ownership.remove_finished` deletes the state.

        That is left to the run's end: outputs of a cluster job whose leader is gone count for
        nothing, and the next run takes them from here.
        """
        (self.path / FINISHED_NAME).touch()


class StopSignals:
    """Remember SIGTERM and SIGUSR1 (SLURM's warning) inside a `with` block, to stop in order."""

    def __init__(self) -> None:
        self.received: int | None = None
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> "StopSignals":
        for number in (signal.SIGTERM, signal.SIGUSR1):
            self._previous[number] = signal.signal(number, self._remember)
        return self

    def _remember(self, number: int, frame: FrameType | None) -> None:
        self.received = number

    def __exit__(self, *error: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
