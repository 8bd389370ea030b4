"""Settings and registry name the same ways, in the same order."""

from typing import get_args

from brainlapse.preprocessing.brain_mask.settings import MaskSettings, Way
from brainlapse.preprocessing.brain_mask.ways.registry import WAYS


def test_names_agree():
    assert get_args(Way) == tuple(WAYS) == MaskSettings().ways
