"""Cuts keep their orientation and scale."""

import numpy as np
import pytest

from brainlapse.figures import slices
from brainlapse.figures.scans import quality
from brainlapse.figures.style import NothingToShow


def test_top_of_a_cut_is_superior_and_right_of_the_picture_is_right() -> None:
    volume = np.zeros((10, 12, 14), np.float32)
    volume[9, 11, 13] = 1  # most right, anterior, superior
    index = (9, 11, 13)
    assert slices.cut(volume, "coronal", index)[0, -1] == 1
    assert slices.cut(volume, "sagittal", index)[0, -1] == 1
    assert slices.cut(volume, "axial", index)[0, -1] == 1


def test_strip_is_in_mm() -> None:
    volume = np.ones((10, 20, 30), np.float32)
    pixels = slices.strip(volume, np.diag([1.0, 2.0, 3.0, 1.0]), (5, 10, 15), pixel_mm=1.0)
    assert pixels.shape == (90, 40 + 10 + 10)


def test_index_at_stays_inside() -> None:
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    assert slices.index_at(affine, (10, 10, 10), np.array([4.2, -50, 500])) == (2, 0, 9)


def test_contour_surrounds_the_mask() -> None:
    mask = np.zeros((20, 20), bool)
    mask[0:5, 5:15] = True  # touches the border
    (outline,) = slices.contours(mask)
    assert np.allclose(outline[0], outline[-1])
    assert outline[:, 0].max() == pytest.approx(4.5)


def test_no_mask_no_contour_no_brightness() -> None:
    empty = np.zeros((8, 8), np.float32)
    assert slices.contours(empty > 0) == []
    assert not slices.window(empty).any()
    assert slices.centre_index(np.zeros((4, 6, 8), bool)) == (2, 3, 4)


def test_picture_without_any_image_says_so() -> None:
    with pytest.raises(NothingToShow):
        quality.quality_picture(None, None, np.zeros((2, 2, 2)), (0, 0, 0), 120)
