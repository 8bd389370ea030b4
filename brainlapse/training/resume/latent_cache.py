"""Latents that were encoded before, kept outside the declared outputs.

Encoding is one job for the whole cohort, and Snakemake deletes its outputs before it runs again.
What it encoded stays under `.resume/latents/<model>-<fingerprint>/`, a safetensors file per scan:
new scans are encoded, the others read back, bit for bit as a fresh run would make them. It also
serves a job that was killed.
"""

import hashlib
import json
import logging
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from brainlapse.damage import DamagedFile
from brainlapse.networks.interface import Autoencoder
from brainlapse.runtime import atomic_path, progress, read_json, write_json
from brainlapse.streaming import in_flight
from brainlapse.training.data.scans import load_on_grid
from brainlapse.training.encoding.passes import encode_volumes
from brainlapse.training.settings import EncodingSettings

IDENTITY_NAME = "identity.json"
READERS = 4
"""Threads that read scans ahead of the network, at most."""

log = logging.getLogger("brainlapse")
Latent = tuple[np.ndarray, np.ndarray]


def file_sha256(path: str | Path) -> str:
    """Hash a file's content."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def describe_encoding(
    weights: str | Path,
    contract: dict[str, Any],
    settings: EncodingSettings,
    code: dict[str, str],
    device: torch.device,
) -> dict[str, Any]:
    """Collect everything but the scan that the bits of a latent depend on.

    Parameters
    ----------
    weights
        `model.safetensors`.
    contract
        Of the scans, without the versions of the tools.
    settings
        Shape of a pass and arithmetic.
    code
        Fingerprint of the code of the encoding job.
    device
        Kind of device; on a CPU the number of threads decides the order of additions.
    """
    return {
        "weights": file_sha256(weights),
        "config": file_sha256(Path(weights).with_name("config.json")),
        "contract": contract,
        "scans per pass": settings.batch_size,
        "precision": settings.precision,
        "code": code,
        "device": _describe_device(device),
        "torch": torch.__version__,
    }


def _describe_device(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type}, {torch.get_num_threads()} threads"


@dataclass(frozen=True)
class Source:
    """One scan: the name of its files under the output folder, and its preprocessed volume."""

    scan_path: str
    brain: Path


class LatentCache:
    """Latents of one model under one fingerprint."""

    def __init__(self, root: str | Path, model: str, identity: dict[str, Any]) -> None:
        text = json.dumps(identity, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        self.root, self.model, self.identity = Path(root), model, json.loads(text)
        self.path = self.root / f"{model}-{digest}"

    def open(self) -> None:
        """Make the folder; latents of another fingerprint are dropped, and the log says why."""
        for folder in sorted(self.root.glob(f"{self.model}-" + "[0-9a-f]" * 16)):
            if folder != self.path:
                log.info("all scans are encoded afresh: %s changed", self._changes(folder))
                shutil.rmtree(folder)
        self.path.mkdir(parents=True, exist_ok=True)
        write_json(self.path / IDENTITY_NAME, self.identity)

    def _changes(self, folder: Path) -> str:
        try:
            other = read_json(folder / IDENTITY_NAME)
        except (OSError, DamagedFile):
            return "an unknown part"
        parts = sorted({*self.identity, *other})
        return ", ".join(part for part in parts if self.identity.get(part) != other.get(part))

    def holds(self, source: Source) -> bool:
        """Tell whether the scan was encoded as it is now; its content counts, not its time."""
        try:
            with safe_open(self._file(source), "np") as file:
                stored = file.metadata() or {}
        except (FileNotFoundError, SafetensorError):
            return False
        stat = source.brain.stat()
        if (stored.get("size"), stored.get("mtime_ns")) == (
            str(stat.st_size),
            str(stat.st_mtime_ns),
        ):
            return True
        return stored.get("sha256") == file_sha256(source.brain)

    def read(self, source: Source) -> Latent:
        """Return mean and log_variance, (C, d, h, w) float32 each."""
        with safe_open(self._file(source), "np") as file:
            return file.get_tensor("mean"), file.get_tensor("log_variance")

    def save(self, source: Source, latent: Latent) -> None:
        """Keep the latent of a scan."""
        stat = source.brain.stat()
        metadata = {
            "size": str(stat.st_size),
            "mtime_ns": str(stat.st_mtime_ns),
            "sha256": file_sha256(source.brain),
        }
        mean, log_variance = map(np.ascontiguousarray, latent)
        with atomic_path(self._file(source)) as temporary:
            save_file({"mean": mean, "log_variance": log_variance}, temporary, metadata)

    def drop_others(self, sources: list[Source]) -> None:
        """Delete the latents of scans that are not in the cohort any more."""
        kept = {self._file(source) for source in sources}
        for path in self.path.rglob("*.safetensors"):
            if path not in kept:
                path.unlink()

    def _file(self, source: Source) -> Path:
        return self.path / f"{source.scan_path}.safetensors"


def encode_cohort(
    model: Autoencoder,
    cache: LatentCache,
    sources: list[Source],
    shape: tuple[int, int, int],
    settings: EncodingSettings,
    device: torch.device,
    threads: int = 1,
) -> Latent:
    """Encode the scans that the cache lacks, and return the latents of all.

    Scans are read ahead by threads while the network computes; each latent is kept as soon as it
    is there, so a killed job goes on where it was.

    Parameters
    ----------
    cache
        Opened.
    shape
        Grid that every scan must have.

    Returns
    -------
    tuple
        mean and log_variance, (N, C, d, h, w) float32, in the order of the scans.
    """
    new = [source for source in sources if not cache.holds(source)]
    log.info("%d of %d scans to encode, the rest unchanged", len(new), len(sources))
    volumes = in_flight(
        lambda source: load_on_grid(source.brain, shape),
        new,
        workers=min(READERS, threads),
        ahead=max(READERS, settings.batch_size),
    )
    latents = encode_volumes(model, volumes, settings, device)
    for source, latent in progress(zip(new, latents, strict=True), "encoding", len(new)):
        cache.save(source, latent)
    cache.drop_others(sources)
    means, log_variances = zip(*map(cache.read, sources), strict=True)
    return np.stack(means), np.stack(log_variances)
