"""True masks convince the judge, masks with a planted fault do not."""

import numpy as np
import pytest
from scipy import ndimage

from brainlapse.preprocessing.brain_mask.judge import SCALES, MaskJudge
from brainlapse.preprocessing.brain_mask.settings import MaskSettings
from brainlapse.preprocessing.quality.reference import registration_target

TARGET = registration_target(4.0)
CONVINCING = MaskSettings().convincing


@pytest.fixture(scope="module")
def judge(whole_head):
    return MaskJudge(whole_head.volume, whole_head.affine, TARGET)


def place_mm(head, axis):
    voxels = np.indices(head.volume.shape).reshape(3, -1)
    return (head.affine[:3, :3] @ voxels + head.affine[:3, 3:])[axis].reshape(head.volume.shape)


def lost_low(head):
    return head.mask & (place_mm(head, 2) > -30)


def lost_left(head):
    return head.mask & (place_mm(head, 0) > -35)


def leaked(head):
    """A tail of 60 mm, as of a neck."""
    x, y, z = (place_mm(head, axis) for axis in range(3))
    return head.mask | ((abs(x) < 30) & (abs(y + 30) < 30) & (z < -40))


def shifted(head):
    return np.roll(head.mask, 8, axis=2)


def wide(head):
    return ndimage.binary_dilation(head.mask, iterations=5)


def tight(head):
    return ndimage.binary_erosion(head.mask, iterations=5)


def a_ball(head):
    away = [place_mm(head, axis) - middle for axis, middle in enumerate((20, -17, 0))]
    return sum(part**2 for part in away) < 60**2


BROKEN = (lost_low, lost_left, leaked, shifted, wide, tight, a_ball)


@pytest.mark.parametrize("voxels", [0, 1, -1])
def test_a_true_mask_convinces(judge, whole_head, voxels):
    change = ndimage.binary_dilation if voxels > 0 else ndimage.binary_erosion
    mask = change(whole_head.mask) if voxels else whole_head.mask
    assert judge.judge(mask).score >= CONVINCING


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_mask_does_not(judge, whole_head, broken):
    found = judge.judge(broken(whole_head))
    assert found.score < CONVINCING
    assert found.score < judge.judge(whole_head.mask).score


def test_the_score_is_that_of_the_worst_number(judge, whole_head):
    found = judge.judge(lost_left(whole_head))
    assert found.numbers.keys() == SCALES.keys()
    assert found.score == min(SCALES[name].score(found.numbers[name]) for name in SCALES)
    assert found.numbers["gap"] > SCALES["gap"].bad


def test_a_coil_profile_gain_and_offset_hardly_count(judge, whole_head):
    profile = 6.0 ** np.linspace(1, 0, whole_head.volume.shape[2])
    other = MaskJudge(3 * whole_head.volume * profile + 200, whole_head.affine, TARGET)
    assert other.judge(whole_head.mask).score >= CONVINCING
    assert other.judge(lost_left(whole_head)).score < CONVINCING


def test_a_turned_head_is_judged_alike(judge, whole_head, move):
    turn = np.eye(4)
    angle = np.radians(25)
    turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    turned = move(whole_head, turn)
    found = MaskJudge(turned.volume, turned.affine, TARGET).judge(turned.mask)
    straight = judge.judge(whole_head.mask)
    for name, number in straight.numbers.items():
        assert found.numbers[name] == pytest.approx(number, abs=0.1)
    assert found.score >= CONVINCING
