import numpy as np
import pytest

from brainlapse.images import resample_to_grid
from brainlapse.preprocessing.intake import take_brain
from brainlapse.preprocessing.settings import ResamplingSettings
from brainlapse.rejection import ScanRejected
from brainlapse.space import grid_at
from brainlapse.template import load_template_brain

GRID = grid_at(2.0, (80, 96, 80))


@pytest.fixture(scope="module")
def template():
    return load_template_brain(GRID)


@pytest.fixture(scope="module")
def brain(template):
    t1, mask = template
    return np.where(mask, 100 + 400 * t1, 0).astype(np.float32)


def take(volume, template, affine=GRID.affine):
    return take_brain(volume, affine, GRID, template[1], ResamplingSettings())


def test_a_brain_on_the_grid_is_taken_as_it_is(brain, template):
    taken = take(brain, template)
    np.testing.assert_array_equal(taken.brain, brain)
    assert taken.remarks == ()
    assert (taken.mask == template[1]).mean() > 0.999


def test_another_background_is_named_and_becomes_zero(brain, template):
    scores = np.where(brain > 0, (brain - 400) / 80, -9).astype(np.float32)
    taken = take(scores, template)
    assert taken.remarks == ("the background is -9, not 0: taken as 0",)
    assert (taken.brain[~taken.mask] == 0).all()
    inside = taken.mask & (brain > 0)
    assert np.corrcoef(taken.brain[inside], brain[inside])[0, 1] > 0.999


@pytest.mark.parametrize("flip", [False, True])
def test_another_grid_is_interpolated_in_place(brain, template, flip):
    other = grid_at(1.5, (112, 132, 112))
    volume, affine = resample_to_grid(brain, GRID.affine, other), other.affine
    if flip:  # axes stored right to left
        volume = volume[::-1]
        affine = affine @ np.array(
            [[-1, 0, 0, len(volume) - 1], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
        )
    taken = take(volume, template, affine)
    assert "112 x 132 x 112 voxels of 1.5 x 1.5 x 1.5 mm" in taken.remarks[0]
    assert taken.brain.shape == GRID.shape
    inside = template[1]
    assert np.corrcoef(taken.brain[inside], brain[inside])[0, 1] > 0.98
    assert 2 * (taken.mask & inside).sum() / (taken.mask.sum() + inside.sum()) > 0.96


def test_heads_are_no_brains(template, head, whole_head):
    with pytest.raises(ScanRejected, match=r"constant background .* of the image's edge"):
        take(whole_head.volume, template, whole_head.affine)
    air = np.where(whole_head.volume < 39, 0, whole_head.volume)
    with pytest.raises(ScanRejected, match="the skull is on, or it is not in MNI space"):
        take(air, template, whole_head.affine)


def test_half_a_brain_and_none_are_refused(brain, template):
    half = brain.copy()
    half[:45] = 0
    with pytest.raises(ScanRejected, match="parts are missing"):
        take(half, template)
    with pytest.raises(ScanRejected, match="found the value 0 everywhere"):
        take(0 * brain, template)
