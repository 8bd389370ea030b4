"""Preprocessed volumes held ready for training: read once, kept as float16."""

import math
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from brainlapse.images import load_volume
from brainlapse.runtime import atomic_path, progress
from brainlapse.space import Grid, grid_at
from brainlapse.training.determinism import seed_for

MEMORY_LIMIT_BYTES = 2 * 2**30
"""Larger cohorts are kept in a memory-mapped file instead of in memory."""


@dataclass(frozen=True)
class ScanSet:
    """Volumes of one split.

    Attributes
    ----------
    names
        "dataset/scan" of each volume.
    volumes
        (N, D, H, W) float16 in MNI space, values 0 to 1 (steps of at most 0.0005).
    """

    names: tuple[str, ...]
    volumes: np.ndarray


@dataclass(frozen=True)
class TrainingData:
    """The scans that an autoencoder learns from, and those that select its weights."""

    train: ScanSet
    validation: ScanSet
    voxel_mm: float

    @property
    def grid(self) -> Grid:
        """Grid of all scans, in MNI space."""
        depth, height, width = self.train.volumes.shape[1:]
        return grid_at(self.voxel_mm, (depth, height, width))


def load_training_data(
    selection: Sequence[Sequence[str]],
    shape: tuple[int, int, int],
    voxel_mm: float,
    cache: Path,
    shared: bool = False,
) -> TrainingData:
    """Read the scans of both splits.

    Parameters
    ----------
    selection
        Rows of dataset, scan, split (train or validation) and path.
    shape
        Grid that every scan must have.
    cache
        Folder for the memory-mapped file of a large cohort.
    shared
        Map small cohorts too: several processes then hold them once.

    Raises
    ------
    ValueError
        If there is no training scan, or a scan lies on another grid.
    """
    if not any(row[2] == "train" for row in selection):
        message = (
            f"expected at least one training scan, found none among {len(selection)} scans; "
            "see cohort/rejected.tsv and preprocess/qc.tsv, or change the split fractions"
        )
        raise ValueError(message)
    limit = 0 if shared else MEMORY_LIMIT_BYTES
    sets = {
        split: _load_set(
            [row for row in selection if row[2] == split], shape, cache / f"{split}.npy", limit
        )
        for split in ("train", "validation")
    }
    return TrainingData(sets["train"], sets["validation"], voxel_mm)


def _load_set(rows: list, shape: tuple[int, int, int], cache_path: Path, limit: int) -> ScanSet:
    names = tuple(f"{dataset}/{scan}" for dataset, scan, *_ in rows)
    paths = [row[3] for row in rows]
    size = 2 * len(rows) * math.prod(shape)
    if size <= limit or not rows:
        volumes = np.empty((len(rows), *shape), dtype=np.float16)
        _fill(volumes, paths)
        return ScanSet(names, volumes)
    cached = _read_cache(cache_path, (len(rows), *shape))
    if cached is None:
        _write_cache(cache_path, paths, shape)
        cached = np.load(cache_path, mmap_mode="r")
    return ScanSet(names, cached)


def _read_cache(path: Path, shape: tuple[int, ...]) -> np.ndarray | None:
    """Map a file of `_write_cache`; None if it is missing, cut or another's."""
    try:
        volumes = np.load(path, mmap_mode="r", allow_pickle=False)
    except (FileNotFoundError, ValueError, EOFError):
        return None
    return volumes if volumes.shape == shape and volumes.dtype == np.float16 else None


def _write_cache(path: Path, paths: list[str], shape: tuple[int, int, int]) -> None:
    with atomic_path(path) as temporary:
        volumes = np.lib.format.open_memmap(temporary, "w+", np.float16, (len(paths), *shape))
        _fill(volumes, paths)
        volumes.flush()


def _fill(volumes: np.ndarray, paths: list[str]) -> None:
    for row, path in enumerate(progress(paths, "reading scans", len(paths))):
        volumes[row] = load_on_grid(path, volumes.shape[1:])


def load_on_grid(path: str | Path, shape: tuple[int, ...]) -> np.ndarray:
    """Read a preprocessed volume, float32 (D, H, W); ValueError if it lies on another grid."""
    volume, _ = load_volume(path)
    if volume.shape != tuple(shape):
        message = (
            f"{path}: expected a volume on the model's grid {tuple(shape)}, found {volume.shape}; "
            "preprocess it with the same space: settings, or train a model for this grid"
        )
        raise ValueError(message)
    return volume


def to_batch(volumes: np.ndarray, device: torch.device) -> Tensor:
    """Turn volumes (B, D, H, W) into a float32 batch (B, 1, D, H, W) on the device."""
    return (
        torch.from_numpy(np.require(volumes, requirements=["C", "W"]))
        .to(device)
        .float()
        .unsqueeze(1)
    )


class ReadAhead:
    """Reads the next batch while the current one is learned from."""

    def __init__(self, scans: ScanSet) -> None:
        self._volumes = scans.volumes
        self._thread = ThreadPoolExecutor(1)
        self._read: dict[tuple[int, ...], Future[np.ndarray]] = {}

    def take(self, rows: Sequence[int], coming: Sequence[int]) -> np.ndarray:
        """Volumes (B, D, H, W) of some rows, in their order; `coming` are read meanwhile."""
        mine = self._read.pop(tuple(rows), None) or self._start(rows)
        volumes = mine.result()
        self._read = {tuple(coming): self._start(coming)}
        return volumes

    def _start(self, rows: Sequence[int]) -> "Future[np.ndarray]":
        return self._thread.submit(self._volumes.__getitem__, list(rows))


def epoch_order(count: int, seed: int, epoch: int) -> np.ndarray:
    """Return the order of the training scans in an epoch; depends on seed and epoch alone."""
    return np.random.default_rng(seed_for(seed, "order", epoch)).permutation(count)
