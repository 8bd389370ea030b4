"""What deepbet gets to see; the network itself is a stand-in here."""

import numpy as np
import pytest
from deepbet import BrainExtraction
from scipy import ndimage

from brainlapse.preprocessing.agreement import dice
from brainlapse.preprocessing.brain_mask.raw_head import NoMask
from brainlapse.preprocessing.brain_mask.ways import deepbet


@pytest.fixture
def seen(monkeypatch):
    """Volumes that the network was shown; it takes the piece of brain in the volume's middle."""
    volumes = []

    def by_threshold(volume, settings):
        volumes.append(volume)
        bright = (volume > 0.15 * volume.max()) & (volume < 0.9 * volume.max())
        pieces, _ = ndimage.label(bright)
        near = tuple(slice(edge // 2 - 8, edge // 2 + 8) for edge in volume.shape)
        return pieces == np.bincount(pieces[near].ravel())[1:].argmax() + 1

    monkeypatch.setattr(deepbet, "run_deepbet", by_threshold)
    return volumes


def test_the_scan_is_shown_as_it_is(raw, whole_head, seen):
    mask = deepbet.find_as_stored(raw(whole_head))
    assert mask.shape == whole_head.volume.shape
    np.testing.assert_array_equal(seen[0], whole_head.volume)


def test_padding_of_one_value_is_left_out(raw, whole_head, seen):
    ends = ((30, 5), (0, 40), (11, 60))
    padded = whole_head._replace(volume=np.pad(whole_head.volume, ends, constant_values=-7))
    mask = deepbet.find_as_stored(raw(padded))
    assert seen[0].shape == whole_head.volume.shape
    within = tuple(slice(low, -high or None) for low, high in ends)
    np.testing.assert_array_equal(mask[within], deepbet.find_as_stored(raw(whole_head)))
    assert mask.sum() == mask[within].sum()


@pytest.mark.parametrize("vector_deg", [(0, 0, 0), (43, 0, 0), (-20, 30, 25)])
@pytest.mark.parametrize("find", [deepbet.find_upright, deepbet.find_flattened])
def test_turned_heads_are_shown_upright(raw, turned_head, seen, find, vector_deg):
    head = turned_head(vector_deg)
    mask = find(raw(head))
    assert dice(mask, head.mask) > 0.88
    shown = seen[0]
    assert abs(dice(shown > 0, shown[::-1] > 0) - 1) < 0.1  # left and right are alike


def test_no_brain_is_no_mask(raw, whole_head, monkeypatch):
    def see_nothing(self, volume, shape):
        raise AssertionError("Not enough foreground")

    monkeypatch.setattr(BrainExtraction, "run_model", see_nothing)
    with pytest.raises(NoMask, match=r"looks like a brain \(Not enough foreground\)"):
        deepbet.find_as_stored(raw(whole_head))
