"""Visits of one person, and another person, made of the template's brain."""

import numpy as np
import pytest
from scipy import ndimage

from brainlapse.images import resample_to_grid
from brainlapse.preprocessing.longitudinal.visit import Root, Visit
from brainlapse.preprocessing.registration.pose import rotation_matrices
from brainlapse.space import Grid


@pytest.fixture(scope="session")
def motion():
    """World mm of the first visit to world mm of the second."""
    transform = np.eye(4)
    transform[:3, :3] = rotation_matrices(np.array([[9.0, -7, 5]]))[0]
    transform[:3, 3] = 6, -9, 5
    return transform


@pytest.fixture(scope="session")
def first(head):
    """A first visit that lies on the template."""
    return Root("sub-1_ses-1", head.volume, head.mask, head.affine, np.eye(4))


@pytest.fixture(scope="session")
def second(head, move, motion):
    """The same brain elsewhere, with other noise, twice as bright."""
    moved = move(head, motion)
    noise = np.random.default_rng(5).normal(0, 8, moved.volume.shape)
    volume = (2 * moved.volume + noise).astype(np.float32)
    return Visit("sub-1_ses-2", volume, moved.mask, moved.affine)


@pytest.fixture(scope="session")
def stranger(head):
    """Another person: the brain warped at random by some mm."""
    random = np.random.default_rng(7)
    shape = head.volume.shape
    places = np.indices(shape).astype(float)
    for axis in range(3):
        warp = ndimage.gaussian_filter(random.normal(size=shape), 6)
        places[axis] += 3.5 * warp / warp.std()
    volume, mask = (
        ndimage.map_coordinates(np.asarray(part, np.float32), places, order=1)
        for part in (head.volume, head.mask)
    )
    return Visit("sub-2_ses-1", volume, mask > 0.5, head.affine)


@pytest.fixture(scope="session")
def on_grid():
    """Return a function that samples a volume in world space on a grid."""

    def apply(volume, affine, grid: Grid, transform=None):
        return resample_to_grid(volume, affine, grid, transform)

    return apply
