"""A visit, and one that others may join, as the steps before left them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brainlapse.images import load_canonical
from brainlapse.preprocessing.longitudinal.files import VisitFiles
from brainlapse.preprocessing.registration.transforms import read_world_transform
from brainlapse.runtime import read_json


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


def read_visit(files: VisitFiles) -> Root:
    """Read a visit that was preprocessed."""
    volume, affine = load_canonical(files.corrected)
    mask, _ = load_canonical(files.mask, volume.shape)
    return Root(files.scan, volume, mask > 0, affine, read_world_transform(files.transform))


def root_of(quality: Path) -> str | None:
    """Name of the visit that a visit joined, from its ``_qc.json``; None for a root."""
    return read_json(quality).get("visit", {}).get("root")
