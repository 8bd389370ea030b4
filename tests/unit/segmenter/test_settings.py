"""Patches that the network can halve four times; nothing else passes."""

import pytest
from pydantic import ValidationError

from brainlapse.networks.segmenter import GRID_FACTOR
from brainlapse.segmenter.settings import SegmenterSettings


@pytest.mark.parametrize("patch", [(16, 16, 16), (96, 112, 96)])
def test_multiples_of_the_networks_factor_pass(patch):
    assert all(size % GRID_FACTOR == 0 for size in patch)
    assert SegmenterSettings(label_maps="x", patch=patch).patch == patch


@pytest.mark.parametrize("patch", [(96, 104, 96), (0, 16, 16), (16, 16, -16), (16, 16, 8)])
def test_other_patches_are_refused(patch):
    with pytest.raises(ValidationError, match="must be multiples of 16"):
        SegmenterSettings(label_maps="x", patch=patch)


def test_unknown_keys_are_refused():
    with pytest.raises(ValidationError, match="Extra inputs"):
        SegmenterSettings(label_maps="x", learning_rat=0.1)
