import numpy as np
import pytest

from brainlapse.preprocessing.longitudinal.repeat import pair_up, place_pair, turn_head
from brainlapse.preprocessing.longitudinal.visit import Root, Visit
from brainlapse.preprocessing.settings import PreprocessSettings
from brainlapse.space import grid_at

SETTINGS = PreprocessSettings.model_validate({"registration": {"voxel_mm": 4.0}})
GRID = grid_at(4.0, (44, 54, 46))


@pytest.fixture(scope="module")
def turned(first):
    """The first visit turned by 5 degrees, and its mask likewise."""
    head = turn_head(first.volume, first.affine, 5.0)
    mask = turn_head(first.mask.astype(np.float32), first.affine, 5.0) > 0.5
    return Visit("again", head, mask, first.affine)


def test_turning_by_nothing_changes_nothing(first):
    again = turn_head(first.volume, first.affine, 0.0)
    np.testing.assert_allclose(again, first.volume, atol=0.01)


def test_the_middle_of_the_head_stays_and_its_range_too(first):
    again = turn_head(first.volume, first.affine, 5.0)
    middle = tuple(size // 2 for size in again.shape)
    assert again.shape == first.volume.shape
    assert again[middle] == pytest.approx(first.volume[middle], abs=60)
    assert np.median(again[first.mask]) == pytest.approx(
        np.median(first.volume[first.mask]), rel=0.02
    )


def test_the_turn_is_found_and_undone(first, turned):
    root = Root(first.scan, first.volume, first.mask, first.affine, np.eye(4))
    visit, pair = pair_up(root, turned, SETTINGS)
    assert pair.numbers["turned_degrees"] == pytest.approx(5, abs=0.2)
    assert pair.numbers["correlation"] > 0.99
    (one, inside), (other, same) = place_pair(root, visit, pair, GRID, SETTINGS)
    assert same is inside
    assert np.corrcoef(one[inside], other[inside])[0, 1] > 0.98
    assert not one[~inside].any()
