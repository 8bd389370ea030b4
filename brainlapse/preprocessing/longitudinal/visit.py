"""A visit, and one that others may join, as the steps before left them."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Visit:
    """A visit as masking and bias correction left it.

    Attributes
    ----------
    scan
        Its name, sub-X_ses-Y.
    volume, mask
        (X, Y, Z) intensities and bool brain mask, any axis order.
    affine
        Voxel to world mm (RAS), (4, 4).
    """

    scan: str
    volume: np.ndarray
    mask: np.ndarray
    affine: np.ndarray


@dataclass(frozen=True)
class Root(Visit):
    """An earlier visit that later ones may join.

    Attributes
    ----------
    transform
        Template world to its own world mm, (4, 4).
    """

    transform: np.ndarray
