"""The difference of brightness between two visits: how it is kept, and how it is taken away."""

import numpy as np

from brainlapse.images import resample_to_grid
from brainlapse.space import Grid, grid_at

FIELD_GRID = grid_at(8.0, (24, 28, 24))  # in MNI space; it reaches beyond any brain


def remove_difference(volume: np.ndarray, log_field: np.ndarray, grid: Grid) -> np.ndarray:
    """Bring a visit to the brightness of the visit that it joined.

    Parameters
    ----------
    volume
        (X, Y, Z) on the grid, in MNI space.
    log_field
        By how much it is brighter, natural logarithm on `FIELD_GRID`.

    Returns
    -------
    numpy.ndarray
        float32 (X, Y, Z).
    """
    spread = resample_to_grid(log_field, FIELD_GRID.affine, grid, order=3)
    return (volume * np.exp(-spread)).astype(np.float32)
