"""A raw head as the ways see it."""

import numpy as np
import pytest

from brainlapse.images import resample_to_grid
from brainlapse.preprocessing.brain_mask.raw_head import RawHead
from brainlapse.preprocessing.brain_mask.settings import MaskSettings
from brainlapse.preprocessing.quality.reference import registration_target
from brainlapse.preprocessing.registration.pose import rotation_matrices
from brainlapse.space import grid_at


@pytest.fixture(scope="session")
def raw():
    """Return a function that makes a raw head of a head (volume, mask, affine)."""
    target = registration_target(4.0)

    def make(head, settings=None):
        return RawHead(head.volume, head.affine, target, settings or MaskSettings())

    return make


@pytest.fixture(scope="session")
def turned_head(whole_head):
    """Return a function that turns and shifts the whole head inside a larger volume."""

    def turn(vector_deg, shift_mm=(12, -8, 20)):
        motion = np.eye(4)
        motion[:3, :3] = rotation_matrices(np.array([vector_deg]))[0]
        motion[:3, 3] = shift_mm
        grid = grid_at(2.0, (130, 150, 150))
        back = np.linalg.inv(motion)
        volume = resample_to_grid(whole_head.volume, whole_head.affine, grid, back)
        mask = resample_to_grid(whole_head.mask, whole_head.affine, grid, back) > 0.5
        return whole_head._replace(volume=volume, mask=mask, affine=grid.affine)

    return turn
