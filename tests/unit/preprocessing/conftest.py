"""A head made of the template, at 2 mm, as the tests' patient."""

from typing import NamedTuple

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from brainlapse.images import resample_to_grid
from brainlapse.space import Grid, grid_at
from brainlapse.template import load_template_brain


class Head(NamedTuple):
    volume: np.ndarray
    mask: np.ndarray
    affine: np.ndarray


@pytest.fixture(scope="session")
def head():
    """The template's brain with scanner units, offset and noise; air around it."""
    grid = grid_at(2.0, (96, 116, 100))
    t1, mask = load_template_brain(grid)
    noise = np.random.default_rng(3).normal(0, 4, grid.shape)
    volume = np.where(mask, 60 + 400 * t1, 20) + noise
    return Head(np.abs(volume).astype(np.float32), mask, grid.affine)


@pytest.fixture(scope="session")
def whole_head(head):
    """The brain in a dark skull and a bright scalp."""
    distance_mm = ndimage.distance_transform_edt(~head.mask) * 2
    volume = np.where((distance_mm > 8) & (distance_mm < 16), 420, head.volume)
    volume = np.where((distance_mm > 0) & (distance_mm <= 8), 40, volume)
    return head._replace(volume=volume.astype(np.float32))


@pytest.fixture(scope="session")
def move():
    """Return a function that puts a head elsewhere: template world to scan world mm."""

    def apply(head, transform):
        grid = Grid(head.volume.shape, head.affine)
        back = np.linalg.inv(transform)
        volume = resample_to_grid(head.volume, head.affine, grid, back)
        mask = resample_to_grid(head.mask, head.affine, grid, back) > 0.5
        return Head(volume, mask, head.affine)

    return apply


@pytest.fixture(scope="session")
def store():
    """Return a function that stores a head with its axes in another order."""

    def apply(head, codes):
        turn = nib.orientations.ornt_transform(
            nib.io_orientation(head.affine), nib.orientations.axcodes2ornt(codes)
        )
        volume = nib.Nifti1Image(head.volume, head.affine).as_reoriented(turn)
        mask = nib.Nifti1Image(head.mask.astype(np.uint8), head.affine).as_reoriented(turn)
        return Head(np.asarray(volume.dataobj), np.asarray(mask.dataobj) > 0, volume.affine)

    return apply
