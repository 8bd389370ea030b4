"""Synthetic T1-weighted brains as the chain leaves them: in MNI space, stripped, values 0 to 1."""

import functools
import multiprocessing
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import torch

from brainlapse.preprocessing.intensity import normalise
from brainlapse.preprocessing.resampling import resample_brain
from brainlapse.preprocessing.settings import IntensitySettings, ResamplingSettings
from brainlapse.pretraining.settings import PretrainingSettings
from brainlapse.runtime import atomic_path, keep_memory, limit_threads
from brainlapse.segmenter.anatomies import Anatomy, read_anatomy
from brainlapse.segmenter.deformation import GRID, SHAPE, draw_labels
from brainlapse.segmenter.settings import SynthesisSettings
from brainlapse.segmenter.synthesis import draw_image, draw_mask
from brainlapse.space import Grid, grid_at
from brainlapse.training.determinism import seed_for

CORNER = (0, 0, 0)


def draw_brain(
    anatomy: Anatomy, settings: SynthesisSettings, grid: Grid, rng: np.random.Generator
) -> np.ndarray:
    """Draw one brain on a grid in MNI space, float32 (D, H, W), 0 outside the brain.

    A whole head is drawn at 1 mm, and goes through the chain's own last steps: one
    interpolation, stripping, intensities.
    """
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    labels, _ = draw_labels(anatomy, settings, SHAPE, CORNER, rng, generator)
    mask = draw_mask(labels, CORNER, rng, generator)
    head = draw_image(labels, torch.ones_like(mask), settings, rng, generator)
    brain, inside = resample_brain(
        head.numpy(), mask.numpy(), GRID.affine, grid, np.eye(4), ResamplingSettings()
    )
    return normalise(brain, inside, IntensitySettings())


def draw_brains(
    paths: Sequence[Path], count: int, settings: PretrainingSettings, seed: int, workers: int
) -> Iterator[np.ndarray]:
    """Draw brains from anatomies in turn, each at its own voxel size; in several processes.

    Parameters
    ----------
    paths
        Files of `save_anatomy`.
    count
        How many brains.
    seed
        A brain depends on it, on its number and on its anatomy alone.

    Yields
    ------
    numpy.ndarray
        float16 (D, H, W), in order.
    """
    jobs = [(paths[number % len(paths)], number, settings, seed) for number in range(count)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_prepare_worker) as pool:
        yield from pool.map(_draw, jobs)


def _prepare_worker() -> None:
    keep_memory()
    limit_threads(1)


def _draw(job: tuple[Path, int, PretrainingSettings, int]) -> np.ndarray:
    path, number, settings, seed = job
    rng = np.random.default_rng(seed_for(seed, "brain", path.stem, number))
    grid = grid_at(float(rng.uniform(*settings.voxel_mm)), settings.shape)
    return draw_brain(_anatomy(path), settings.synthesis, grid, rng).astype(np.float16)


@functools.cache
def _anatomy(path: Path) -> Anatomy:
    return read_anatomy(path)


def part_anatomies(
    paths: Sequence[Path], validation: Sequence[str]
) -> tuple[list[Path], list[Path]]:
    """Part files of anatomies into those to train on and those named for validation.

    Raises
    ------
    ValueError
        If one of the two would be empty.
    """
    training = [path for path in paths if path.stem not in validation]
    kept = [path for path in paths if path.stem in validation]
    if not training or not kept:
        message = (
            f"segmenter.validation: expected some of the {len(paths)} label maps, and others to "
            f"train on, found {list(validation)}; name label maps of the folder"
        )
        raise ValueError(message)
    return training, kept


def save_brains(
    path: str | Path, brains: Iterable[np.ndarray], shape: tuple[int, int, int], count: int
) -> None:
    """Write brains as one float16 array (N, D, H, W), whole or not at all."""
    with atomic_path(path) as temporary:
        volumes = np.lib.format.open_memmap(temporary, "w+", np.float16, (count, *shape))
        for row, brain in enumerate(brains):
            volumes[row] = brain
        volumes.flush()
