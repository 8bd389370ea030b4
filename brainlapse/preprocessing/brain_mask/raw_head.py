"""A raw scan as the ways to its mask see it; what several of them need is worked out once."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from brainlapse.preprocessing.brain_mask.flattening import flatten_head
from brainlapse.preprocessing.brain_mask.head_pose import find_head_pose
from brainlapse.preprocessing.brain_mask.settings import MaskSettings
from brainlapse.preprocessing.registration.pose import Pose

Target = tuple[np.ndarray, np.ndarray]


class NoMask(Exception):
    """A way finds no mask in this scan; the message says in a few words what it found instead."""


class WayMissing(Exception):
    """A way can't be gone on this machine; the message says what is missing and what to do."""


@dataclass(frozen=True)
class RawHead:
    """A scan in RAS+ axis order.

    Attributes
    ----------
    volume
        (X, Y, Z) raw intensities, a whole head or a stripped brain.
    affine
        Voxel to world mm (RAS), (4, 4).
    target
        T1 of the template's brain, (X, Y, Z), 0 outside, and its affine.
    settings
        Of the mask.
    """

    volume: np.ndarray
    affine: np.ndarray
    target: Target
    settings: MaskSettings

    @cached_property
    def flat(self) -> np.ndarray:
        """The scan without coil profile and glare, float32 (X, Y, Z), 0 to 1."""
        return flatten_head(self.volume, self.affine)

    @cached_property
    def pose(self) -> Pose:
        """How the head lies."""
        return find_head_pose((self.flat, self.affine), self.target)
