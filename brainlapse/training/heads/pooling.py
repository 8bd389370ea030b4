"""What heads see of a latent: means over a few cells along each axis."""

import numpy as np

CELLS = 4
"""Cells along each axis, at most: 4 channels give 256 numbers, as many as a short vector."""


def averaging_tables(shape: tuple[int, int, int]) -> list[np.ndarray]:
    """Return for each axis a table (cells, size) that averages over its cells."""
    return [_averaging_table(size) for size in shape]


def _averaging_table(size: int) -> np.ndarray:
    cells = min(CELLS, size)
    edges = np.linspace(0, size, cells + 1)
    places = np.arange(size)
    overlap = np.minimum(edges[1:, None], places + 1) - np.maximum(edges[:-1, None], places)
    return (overlap.clip(min=0) * cells / size).astype(np.float32)


def pool_latents(mean: np.ndarray) -> np.ndarray:
    """Features (N, F) that heads see of latent means (N, C, d, h, w)."""
    tables = averaging_tables(mean.shape[2:])
    pooled = np.einsum("nczyx,kz,jy,ix->nckji", mean, *tables, optimize=True)
    return pooled.reshape(len(mean), -1)
