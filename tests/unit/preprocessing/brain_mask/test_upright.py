"""Masks on their way back from the upright box."""

import numpy as np

from brainlapse.preprocessing.brain_mask import upright
from brainlapse.preprocessing.registration.pose import rotation_matrices


def test_a_mask_is_carried_back_as_if_sampled_everywhere():
    mask = np.zeros((30, 40, 35), bool)
    mask[8:20, 12:39, 0:22] = True
    box = np.diag([1.4, 1.4, 1.4, 1.0])
    box[:3, :3] = rotation_matrices(np.array([[10.0, -20.0, 35.0]]))[0] @ box[:3, :3]
    box[:3, 3] = 4, -9, 3
    grid, shape = np.diag([1.0, 2.0, 1.5, 1.0]), (44, 30, 40)
    grid[:3, 3] = -12, -8, -10
    everywhere = upright.sample(mask, box, grid, shape) > 0.5
    assert everywhere[0].any()  # a part lies beyond the grid
    np.testing.assert_array_equal(upright.carry_back(mask, box, grid, shape), everywhere)
    assert not upright.carry_back(mask & False, box, grid, shape).any()
