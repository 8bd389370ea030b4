"""The linear baseline: an autoencoder fitted as mean image and principal components."""

import logging
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from brainlapse.networks.autoencoders import build_autoencoder, log_size
from brainlapse.networks.interface import Autoencoder
from brainlapse.training.data.scans import ScanSet, TrainingData, to_batch
from brainlapse.training.loop.losses import l1
from brainlapse.training.model.state import Best
from brainlapse.training.resume.checkpoint import ResumeFolder
from brainlapse.training.settings import AutoencoderSettings

BLOCK_BYTES = 256 * 2**20
"""Memory for the voxels of all training scans that are looked at together, as float64."""

RANK_TOLERANCE, LEAST_SQUARE = 1e-10, 1e-12
"""Sums of squares below this part of the first component's, or below this, are rounding; one voxel
that differs by a step of float16 has more."""

log = logging.getLogger("brainlapse")


@dataclass(frozen=True)
class Components:
    """Principal components of volumes.

    Attributes
    ----------
    mean
        float32 (V,), of the volumes' V voxels.
    axes
        float32 (K, V), orthonormal; the first carries the most variance. The volume with the
        largest score on an axis lies on its positive side.
    variances
        float64 (K,), of the volumes along each axis, with N - 1 in the denominator.
    total_variance
        The same along all axes that there are.
    """

    mean: np.ndarray
    axes: np.ndarray
    variances: np.ndarray
    total_variance: float


@dataclass(frozen=True)
class Fitted:
    """What `fit` gives in place of the state of a training run."""

    model: Autoencoder
    best: Best
    history: list[dict[str, Any]]
    step: int = 0


def fit(settings: AutoencoderSettings, data: TrainingData, resume: ResumeFolder) -> Fitted:
    """Fit the `pca` family on the training scans; takes the place of `loop.train`.

    Exact, without random numbers, on the CPU. There is nothing to resume: an interrupted fit
    begins again, and checkpoints of another setup are dropped.

    Returns
    -------
    Fitted
        History of one row with `l1` of both splits.

    Raises
    ------
    ValueError
        If the training scans are fewer than two or all the same.
    """
    resume.open()
    began = time.monotonic()
    found = principal_components(data.train.volumes, settings.network.latent_size)
    _log_components(found, settings.network.latent_size, len(data.train.names))
    model = linear_autoencoder(found, settings, data.grid.shape)
    log_size(settings.network.family, model)
    row = {"epoch": 0, "step": 0, "seconds": round(time.monotonic() - began, 1), "lr": math.nan}
    row |= {
        f"{split}_l1": mean_l1(model, scans)
        for split, scans in (("train", data.train), ("validation", data.validation))
        if scans.names
    }
    value = row.get("validation_l1", row["train_l1"])
    return Fitted(model, Best(value, 0, dict(model.state_dict())), [row])


def principal_components(
    volumes: np.ndarray, wanted: int, block_bytes: int = BLOCK_BYTES
) -> Components:
    """Exact principal components of volumes through their Gram matrix.

    Reads blocks of voxels, twice, so that only the result (4 bytes per component and voxel) has
    to fit into memory.

    Parameters
    ----------
    volumes
        (N, D, H, W), in memory or memory-mapped.
    wanted
        Components wanted; there are at most N - 1, and fewer where volumes repeat.
    block_bytes
        Memory for one block.

    Raises
    ------
    ValueError
        If the volumes are fewer than two or all the same.
    """
    rows = volumes.reshape(len(volumes), -1)  # (N, V), no copy
    count, voxels = rows.shape
    block = max(1, block_bytes // (8 * count))
    mean, gram = np.empty(voxels, np.float32), np.zeros((count, count))
    for part, centre, centred in _centred_blocks(rows, block):
        mean[part] = centre
        gram += centred @ centred.T
    squares, vectors = np.linalg.eigh(gram)  # ascending
    squares, vectors = squares[::-1], vectors[:, ::-1]
    kept = _count_components(squares, wanted)
    vectors = vectors[:, :kept] * _signs(vectors[:, :kept])
    axes = np.empty((kept, voxels), np.float32)
    for part, _, centred in _centred_blocks(rows, block):
        axes[:, part] = (vectors / np.sqrt(squares[:kept])).T @ centred
    return Components(mean, axes, squares[:kept] / (count - 1), float(np.trace(gram)) / (count - 1))


def linear_autoencoder(
    found: Components, settings: AutoencoderSettings, grid_shape: tuple[int, int, int]
) -> Autoencoder:
    """Put components into a network of the `pca` family, ready for encoding and decoding."""
    network = settings.network.model_copy(update={"latent_size": len(found.axes)})
    model = build_autoencoder(network, grid_shape)
    model.load_state_dict(
        {
            "mean": torch.from_numpy(found.mean).reshape(grid_shape),
            "components": torch.from_numpy(found.axes).reshape(-1, *grid_shape),
            "scale": torch.tensor(math.sqrt(found.variances.mean())),
        },
        assign=True,  # no second copy of the components
    )
    return model.eval()


@torch.inference_mode()
def mean_l1(model: Autoencoder, scans: ScanSet) -> float:
    """Mean absolute difference of reconstructions over all voxels and scans."""
    cpu, total = torch.device("cpu"), 0.0
    for volume in scans.volumes:
        batch = to_batch(volume[None], cpu)  # (1, 1, D, H, W)
        total += l1(model(batch), batch).item()
    return total / len(scans.names)


def _centred_blocks(rows: np.ndarray, block: int) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
    """Yield blocks of voxels: where they are, their mean (v,) and rows without it (N, v)."""
    for start in range(0, rows.shape[1], block):
        part = slice(start, start + block)
        values = rows[:, part].astype(np.float64)
        centre = values.mean(axis=0)
        yield part, centre, values - centre


def _count_components(squares: np.ndarray, wanted: int) -> int:
    floor = max(RANK_TOLERANCE * squares[0], LEAST_SQUARE)
    possible = int((squares[:-1] > floor).sum())
    if not possible:
        message = (
            f"family pca: expected at least 2 different training scans, found {len(squares)} scans "
            "and no difference; add subjects or remove this autoencoder"
        )
        raise ValueError(message)
    return min(wanted, possible)


def _signs(vectors: np.ndarray) -> np.ndarray:
    """Return the sign of the largest element of each column, (K,)."""
    largest = np.abs(vectors).argmax(axis=0)
    return np.sign(vectors[largest, np.arange(vectors.shape[1])])


def _log_components(found: Components, wanted: int, scans: int) -> None:
    kept, share = len(found.axes), found.variances.sum() / found.total_variance
    if kept < wanted:
        log.warning(
            "latent_size: %d asked for, %d possible with %d training scans", wanted, kept, scans
        )
    log.info("%d components carry %.1f %% of the variance of %d scans", kept, 100 * share, scans)
