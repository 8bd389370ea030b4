"""Our training step beside the plain loop of MONAI's tutorials: same network, batch and loss.

    python -m benchmarks.train_step [--family kl] [--threads 1] [--shape 64 80 64] [--batch 2]

On a GPU the default grid is 160 x 192 x 160. The tutorial's loop is AutoencoderKL, Adam, float32
and the default layout of arrays; neither side has a perceptual term, a discriminator or
augmentation. Each measurement is a fresh process, sides alternate, the best of the repeats counts.
The table also says how much of the device's ceilings (a large matrix product, a large copy) our
step reaches, how fast scans are read and augmented, and how fast they are encoded.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from brainlapse import runtime
from brainlapse.networks.autoencoders import build_autoencoder
from brainlapse.networks.interface import Autoencoder
from brainlapse.training.data.augmentation import augment
from brainlapse.training.data.scans import ReadAhead, ScanSet, to_batch
from brainlapse.training.loop.losses import kl_divergence
from brainlapse.training.loop.steps import Batch, autoencoder_step, build_engine
from brainlapse.training.model.precision import DTYPES, autocast, resolve_precision
from brainlapse.training.model.state import new_state
from brainlapse.training.settings import AutoencoderSettings

CPU_SHAPE, GPU_SHAPE = (64, 80, 64), (160, 192, 160)
CEILING_SIZE = {"cpu": 2048, "cuda": 8192}
COPY_BYTES = 2**28
SIDES = ("ours", "tutorial", "ours encode", "tutorial encode", "loader", "ceilings")


class Traffic(TorchDispatchMode):
    """Bytes that operations read and write, each operation on its own."""

    total = 0

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Run an operation; one that only looks at its input differently moves nothing."""
        made = function(*args, **(kwargs or {}))
        read, written = (
            [leaf for leaf in tree_leaves(part) if isinstance(leaf, Tensor)]
            for part in (args, made)
        )
        known = {tensor.untyped_storage()._cdata for tensor in read}
        if any(tensor.untyped_storage()._cdata not in known for tensor in written):
            self.total += sum(tensor.nbytes for tensor in (*read, *written))
        return made


def make_settings(wanted: argparse.Namespace) -> AutoencoderSettings:
    """Name the network, without perceptual and adversarial terms."""
    return AutoencoderSettings.model_validate(
        {
            "network": {"family": wanted.family},
            "loss": {"perceptual": {"network": "none"}, "adversarial_weight": 0},
            "training": {"batch_size": wanted.batch},
        }
    )


def our_step(wanted: argparse.Namespace, device: torch.device, volume: Tensor) -> Callable[[], Any]:
    """One update as the training loop makes it."""
    settings = make_settings(wanted)
    precision = resolve_precision("auto", device)
    state = new_state(settings, tuple(wanted.shape), 0, device, precision)
    engine = build_engine(settings, device, precision=precision)
    batch = Batch(volume, None, 1 / len(volume), "benchmark")
    return lambda: autoencoder_step(state, batch, engine)


def plain_network(wanted: argparse.Namespace, device: torch.device) -> Autoencoder:
    """Build the same network with its weights in the default layout."""
    model = build_autoencoder(make_settings(wanted).network, tuple(wanted.shape))
    for weights in model.parameters():
        weights.data = weights.data.contiguous()
    return model.to(device)


def tutorial_step(
    wanted: argparse.Namespace, device: torch.device, volume: Tensor
) -> Callable[[], Any]:
    """One update as in MONAI's tutorials."""
    model = plain_network(wanted, device)
    optimiser = torch.optim.Adam(model.parameters(), 1e-4)

    def step() -> float:
        optimiser.zero_grad(set_to_none=True)
        mean, log_variance = model.encode(volume)
        loss = (model.decode(mean) - volume).abs().mean()
        loss = loss + 1e-6 * kl_divergence(mean, log_variance)
        loss.backward()
        optimiser.step()
        return loss.item()

    return step


def encoding(
    wanted: argparse.Namespace, device: torch.device, volume: Tensor, ours: bool
) -> Callable[[], Any]:
    """Encode the batch."""
    network = make_settings(wanted).network
    model = (
        build_autoencoder(network, tuple(wanted.shape)).to(device)
        if ours
        else plain_network(wanted, device)
    )
    precision = resolve_precision("auto", device) if ours else "float32"

    @torch.no_grad()
    def encode() -> float:
        with autocast(device, precision):
            return model.encode(volume)[0].sum().item()

    return encode


def loading(wanted: argparse.Namespace, device: torch.device, folder: Path) -> Callable[[], Any]:
    """Read and augment batches of a cohort on disk."""
    volumes = np.random.default_rng(0).random((16, *wanted.shape), dtype=np.float32)
    np.save(folder / "scans.npy", volumes.astype(np.float16))
    mapped = np.load(folder / "scans.npy", mmap_mode="r")
    reader = ReadAhead(ScanSet(tuple(map(str, range(len(mapped)))), mapped))
    settings = make_settings(wanted).augmentation
    state = {"first": 0}

    def load() -> float:
        first = state["first"]
        rows, coming = (
            [(start + n) % len(mapped) for n in range(wanted.batch)]
            for start in (first, first + wanted.batch)
        )
        state["first"] += wanted.batch
        return augment(to_batch(reader.take(rows, coming), device), settings, 2.5).sum().item()

    return load


def best_seconds(work: Callable[[], Any], steps: int, device: torch.device) -> float:
    """Shortest time of some calls, after one that does not count.

    Processor time on one thread of a CPU, which others may be using; else wall-clock time.
    """
    alone = device.type == "cpu" and torch.get_num_threads() == 1
    clock, found = time.process_time if alone else time.perf_counter, []
    for _ in range(steps + 1):
        began = clock()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        found.append(clock() - began)
    return min(found[1:])


def ceilings(device: torch.device, work: Callable[[], Any], seconds: float) -> dict[str, float]:
    """Parts of the device's largest arithmetic and memory rates that a step reaches."""
    size, precision = CEILING_SIZE[device.type], resolve_precision("auto", device)
    matrix = torch.rand(size, size, device=device, dtype=DTYPES.get(precision, torch.float32))
    product = 2 * size**3 / best_seconds(lambda: matrix @ matrix, 5, device)
    source = torch.zeros(COPY_BYTES, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    copy = 2 * COPY_BYTES / best_seconds(lambda: target.copy_(source), 5, device)
    with FlopCounterMode(display=False) as counter:
        work()
    with Traffic() as traffic:
        work()
    return {
        "teraflops": counter.get_total_flops() / seconds / 1e12,
        "arithmetic": counter.get_total_flops() / seconds / product,
        "bandwidth": traffic.total / seconds / copy,
    }


def measure(side: str, wanted: argparse.Namespace) -> dict[str, float]:
    """One side's seconds per batch and peak memory [MiB], in this process."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_num_threads(wanted.threads)
    torch.manual_seed(0)
    if not side.startswith("tutorial"):
        runtime.keep_memory()
    volume = torch.rand(wanted.batch, 1, *wanted.shape, device=device)
    makers: dict[str, Callable[[], Callable[[], Any]]] = {
        "ours": lambda: our_step(wanted, device, volume),
        "tutorial": lambda: tutorial_step(wanted, device, volume),
        "ours encode": lambda: encoding(wanted, device, volume, ours=True),
        "tutorial encode": lambda: encoding(wanted, device, volume, ours=False),
        "ceilings": lambda: our_step(wanted, device, volume),
    }
    with tempfile.TemporaryDirectory() as folder:
        work = loading(wanted, device, Path(folder)) if side == "loader" else makers[side]()
        seconds = best_seconds(work, wanted.steps, device)
        if side == "ceilings":
            return ceilings(device, work, seconds)
    if device.type == "cuda":
        return {"seconds": seconds, "mib": torch.cuda.max_memory_allocated() / 2**20}
    return {"seconds": seconds, "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def in_fresh_process(side: str) -> dict[str, float]:
    """Measure one side in a process of its own, with the options of this one."""
    command = [sys.executable, "-m", "benchmarks.train_step", *sys.argv[1:], "--side", side]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def show(best: dict[str, dict[str, float]], batch: int) -> None:
    """Print the tables."""
    print("| | scans/s | ratio | peak memory [MiB] |\n|---|---|---|---|")
    for side in SIDES[:-1]:
        beside = best["tutorial encode" if "encode" in side else "tutorial"]["seconds"]
        ratio = "" if side == "loader" else f"{beside / best[side]['seconds']:.1f}"
        rate = batch / best[side]["seconds"]
        print(f"| {side} | {rate:.3g} | {ratio} | {best[side]['mib']:.0f} |")
    found = best["ceilings"]
    print(
        f"\nours: {found['teraflops']:.3g} TFLOP/s, {found['arithmetic']:.0%} of a large matrix "
        f"product; {found['bandwidth']:.0%} of a large copy's memory traffic"
    )


def main() -> None:
    """Measure all sides in turn, or one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--family", default="kl")
    parser.add_argument("--threads", type=int, default=1)
    grid = GPU_SHAPE if torch.cuda.is_available() else CPU_SHAPE
    parser.add_argument("--shape", type=int, nargs=3, default=grid)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--side", choices=SIDES)
    wanted = parser.parse_args()
    if wanted.side:
        print(json.dumps(measure(wanted.side, wanted)))
        return
    best: dict[str, dict[str, float]] = {}
    for _ in range(wanted.repeats):
        for side in SIDES:
            found = in_fresh_process(side)
            print(side, found, file=sys.stderr, flush=True)
            if side not in best or found.get("seconds", 0) < best[side].get("seconds", 0):
                best[side] = found
    show(best, wanted.batch)


if __name__ == "__main__":
    main()
