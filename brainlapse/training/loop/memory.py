"""How much memory training will take, before it starts."""

import logging
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from brainlapse.training.loop.micro_batches import in_parts
from brainlapse.training.loop.steps import (
    Batch,
    Engine,
    encode_decode,
    judge_part,
    learn_part,
)
from brainlapse.training.model.state import TrainingState, add_discriminator, new_state

GIB = 2**30
COPIES = 4  # of every weight: itself, its gradient and the two running averages of AdamW
CGROUP_FILES = ("sys/fs/cgroup{}/memory.max", "sys/fs/cgroup/memory{}/memory.limit_in_bytes")

log = logging.getLogger("brainlapse")


class LiveTensors(TorchDispatchMode):
    """Count the bytes of the tensors that are alive inside a `with` block; keeps the peak."""

    def __init__(self) -> None:
        super().__init__()
        self.live = self.peak = 0
        self._known: set[int] = set()

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Run an operation and count what it made."""
        made = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, Tensor):
                self._add(tensor.untyped_storage())
        return made

    def _add(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key in self._known:
            return
        self._known.add(key)
        self.live += storage.nbytes()
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._drop, key, storage.nbytes())

    def _drop(self, key: int, count: int) -> None:
        self._known.discard(key)
        self.live -= count


def compare_memory(engine: Engine, shape: tuple[int, int, int], seed: int) -> None:
    """Log how much memory training takes and how much there is; warn where it won't do."""
    needed = estimate_bytes(engine, shape, seed) / GIB
    available = available_bytes(engine.device) / GIB
    log.info("about %.1f GiB of memory needed, %.1f GiB available", needed, available)
    if needed > available:
        log.warning(
            "training may run out of memory: lower training.micro_batch, or set "
            "training.checkpoint_gradients: true"
        )


def estimate_bytes(engine: Engine, shape: tuple[int, int, int], seed: int) -> int:
    """Memory of the networks, their optimisers and the passes, for one process.

    One scan of zeros is learned from by networks that are thrown away, and everything alive at
    the same time is added up. Workspaces of the libraries are not in it.
    """
    settings, training = engine.settings, engine.settings.training
    state = new_state(settings, shape, seed, engine.device, engine.precision)
    if settings.loss.adversarial_weight > 0:
        add_discriminator(state, settings, seed, engine.device)
    weights = _bytes_of(state.model) + _bytes_of(state.discriminator)
    fixed = COPIES * weights + _bytes_of(state.average) + _bytes_of(engine.perceptual)
    scans = min(state.micro_batch, -(-training.batch_size // engine.processes.count))
    return fixed + scans * max(0, _peak_of_a_scan(state, engine, shape) - weights)


def _peak_of_a_scan(state: TrainingState, engine: Engine, shape: tuple[int, int, int]) -> int:
    plain = replace(engine, encode_decode=encode_decode)
    samples = engine.settings.loss.sample_latent
    latent = engine.settings.network.latent_shape(shape)
    batch = Batch(
        torch.zeros((1, 1, *shape), device=engine.device),
        torch.zeros((1, *latent), device=engine.device) if samples else None,
        1.0,
        "memory estimate",
    )

    def look(part: slice) -> None:
        _, reconstruction = learn_part(state, batch, part, plain)
        if state.discriminator is not None:
            judge_part(state, batch, reconstruction, part, plain)

    with LiveTensors() as tensors:
        in_parts(1, 1, look)
    return tensors.peak


def _bytes_of(network: torch.nn.Module | None) -> int:
    if network is None:
        return 0
    return sum(tensor.nbytes for tensor in (*network.parameters(), *network.buffers()))


def available_bytes(device: torch.device, root: Path = Path("/")) -> int:
    """Free memory of a GPU; on a CPU that of the machine, or the job's limit if it is lower."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    lines = (root / "proc/meminfo").read_text(encoding="utf-8").splitlines()
    free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    return min([free, *_job_limits(root)])


def _job_limits(root: Path) -> list[int]:
    """Memory limits [bytes] of the control groups of this process, as SLURM sets them."""
    found = []
    for line in (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines():
        group = Path(line.rpartition(":")[2])
        for place in (group, *group.parents):
            for name in CGROUP_FILES:
                path = root / name.format("" if place == Path("/") else place)
                text = path.read_text(encoding="utf-8").strip() if path.is_file() else "max"
                found += [int(text)] if text.isdigit() else []
    return found
