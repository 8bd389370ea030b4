"""Whether a mask ends where the scan does: balls with a planted rim."""

import numpy as np
import pytest

from brainlapse.preprocessing.brain_mask.edge import edge_share

RADIUS_MM = 50.0


def ball(voxel_mm, radius_mm):
    sizes = np.broadcast_to(voxel_mm, 3)
    axes = [np.arange(-70, 70, size) for size in sizes]
    places = np.stack(np.meshgrid(*axes, indexing="ij"))
    return np.linalg.norm(places, axis=0) < radius_mm, np.diag([*sizes, 1.0])


@pytest.fixture(params=[1.0, 2.0, (1.0, 1.0, 5.0)], ids=["1 mm", "2 mm", "thick slices"])
def head(request):
    """A bright ball in a dark shell in a bright one, and its mask by radius."""

    def mask(radius_mm):
        return ball(request.param, radius_mm)[0]

    brain, affine = ball(request.param, RADIUS_MM)
    volume = np.where(mask(RADIUS_MM + 14), 120.0, 5.0)
    volume[mask(RADIUS_MM + 7)] = 20.0
    volume[brain] = 100.0
    return volume, affine, mask


def test_a_mask_that_ends_with_the_ball_ends_on_an_edge(head):
    volume, affine, mask = head
    assert edge_share(volume, mask(RADIUS_MM), affine) > 0.95


@pytest.mark.parametrize("change_mm", [-12, 10])
def test_one_that_is_too_tight_or_too_wide_does_not(head, change_mm):
    volume, affine, mask = head
    assert edge_share(volume, mask(RADIUS_MM + change_mm), affine) < 0.3


def test_one_that_is_too_wide_on_one_side_does_in_half(head):
    volume, affine, mask = head
    wide = mask(RADIUS_MM + 10)
    wide[: len(wide) // 2] = mask(RADIUS_MM)[: len(wide) // 2]
    assert 0.3 < edge_share(volume, wide, affine) < 0.7


def test_a_speck_has_no_inside():
    speck = np.zeros((30, 30, 30), bool)
    speck[15, 15, 15] = True
    assert edge_share(np.ones(speck.shape), speck, np.eye(4)) == 0.0
