"""Stripped brains are their own masks; whole heads are not, whatever surrounds them."""

import numpy as np
import pytest
from scipy import ndimage

from brainlapse.preprocessing.agreement import dice
from brainlapse.preprocessing.brain_mask.judge import MaskJudge
from brainlapse.preprocessing.brain_mask.masking import try_way
from brainlapse.preprocessing.brain_mask.raw_head import NoMask
from brainlapse.preprocessing.brain_mask.ways.stripped import find_stripped


def trial(raw, head):
    scan = raw(head)
    return try_way("stripped", scan, MaskJudge(scan.volume, scan.affine, scan.target))


@pytest.mark.parametrize("background", [0.0, -1024.0, 20.0])
@pytest.mark.parametrize("scale", [0.6, 1.0])
def test_a_stripped_brain_of_any_size_is_its_own_mask(raw, head, background, scale):
    volume = np.where(head.mask, head.volume + 30, background)
    found = trial(raw, head._replace(volume=volume, affine=scale * head.affine))
    assert found.score >= raw(head).settings.convincing
    assert dice(found.mask, head.mask) > 0.999


@pytest.mark.parametrize("scale", [0.8, 1.0])
def test_a_whole_head_in_empty_air_is_none_however_small(raw, whole_head, scale):
    skin = ndimage.binary_fill_holes(whole_head.volume > 200)
    empty = np.where(skin, whole_head.volume + 5, 0)
    small = whole_head._replace(volume=empty, affine=scale * whole_head.affine)
    assert trial(raw, small).score < raw(small).settings.convincing


def test_a_scan_with_noise_around_it_was_not_stripped(raw, whole_head):
    with pytest.raises(NoMask, match="no value that surrounds it"):
        find_stripped(raw(whole_head))
