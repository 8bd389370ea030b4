"""Mean of many scans: what a network that knows nobody would give back."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from brainlapse.training.data.scans import load_on_grid


def mean_volume(paths: Iterable[str | Path], shape: tuple[int, int, int]) -> np.ndarray:
    """Mean of the volumes in some files, float32 (D, H, W)."""
    total, count = np.zeros(shape), 0
    for path in paths:
        total += load_on_grid(path, shape)
        count += 1
    assert count > 0
    return (total / count).astype(np.float32)
