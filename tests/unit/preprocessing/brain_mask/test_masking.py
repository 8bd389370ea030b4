"""Way after way until one convinces; the best of all otherwise."""

import json

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import ndimage

from brainlapse.preprocessing.agreement import dice
from brainlapse.preprocessing.brain_mask import masking
from brainlapse.preprocessing.brain_mask.raw_head import NoMask, WayMissing
from brainlapse.preprocessing.brain_mask.settings import MaskSettings
from brainlapse.preprocessing.orientation import to_canonical
from brainlapse.preprocessing.quality.reference import registration_target
from brainlapse.rejection import ScanRejected

TARGET = registration_target(4.0)


@pytest.fixture
def find(whole_head, monkeypatch):
    """Return a function that runs stand-in ways by name: masks, or exceptions to raise."""

    def run(head=whole_head, **ways):
        def stand_in(result):
            def way(_):
                gone.append(result)
                if isinstance(result, Exception):
                    raise result
                return result

            return way

        gone = []
        names = ("deepbet", "deepbet-upright", "deepbet-flattened", "template")
        chosen = dict(zip(names, ways.values(), strict=False))
        for name, result in chosen.items():
            monkeypatch.setitem(masking.WAYS, name, stand_in(result))
        settings = MaskSettings(ways=tuple(chosen))
        return masking.find_brain(head.volume, head.affine, TARGET, settings), len(gone)

    return run


@pytest.fixture(scope="module")
def half(whole_head):
    mask = whole_head.mask.copy()
    mask[: mask.shape[0] // 2] = False
    return mask


def test_the_first_way_that_convinces_ends_the_search(find, whole_head, half):
    found, gone = find(first=whole_head.mask, second=half)
    assert gone == 1
    assert found.way == "deepbet"
    np.testing.assert_array_equal(found.mask, whole_head.mask)


def test_a_mask_that_does_not_convince_is_improved_on(find, whole_head, half):
    found, gone = find(first=half, second=whole_head.mask, third=half)
    assert gone == 2
    assert found.way == "deepbet-upright"
    assert list(found.tried) == ["deepbet", "deepbet-upright"]
    assert found.tried["deepbet"]["score"] < 0.5 < found.score


def test_the_best_wins_where_none_convinces(find, whole_head, half):
    rough = ndimage.binary_dilation(whole_head.mask, iterations=4)
    found, gone = find(first=half, second=rough, third=half)
    assert gone == 3
    assert found.way == "deepbet-upright"


def test_ways_without_a_mask_are_passed_over_and_said(find, whole_head):
    speck = np.zeros_like(whole_head.mask)
    speck[40:50, 40:50, 40:50] = True
    found, gone = find(
        first=NoMask("nothing"), second=WayMissing("not here"), third=speck, last=whole_head.mask
    )
    assert gone == 4
    assert found.way == "template"
    reasons = [found.tried[way]["found"] for way in list(found.tried)[:3]]
    assert reasons == ["nothing", "not here", "a mask of 8 ml, 200 to 2500 ml expected"]
    assert json.loads(json.dumps(found.record())) == found.record()


def test_a_scan_without_any_mask_is_rejected_with_all_reasons(find):
    with pytest.raises(ScanRejected, match=r"deepbet: nothing; deepbet-upright: not here"):
        find(first=NoMask("nothing"), second=WayMissing("not here"))


def test_the_mask_is_one_piece_without_holes(find, whole_head):
    flawed = whole_head.mask.copy()
    flawed[45:48, 60:63, 50:53] = False
    flawed[:3, :3, :3] = True
    found, _ = find(first=flawed)
    np.testing.assert_array_equal(found.mask, whole_head.mask)


def test_axis_order_does_not_matter(find, whole_head, store):
    stored = store(whole_head, "PSR")
    found, _ = find(head=stored, first=whole_head.mask)
    assert found.mask.shape == stored.volume.shape
    np.testing.assert_array_equal(to_canonical(found.mask, stored.affine)[0], whole_head.mask)


def test_deepbet_finds_the_brain_in_a_real_run(whole_head):
    settings = MaskSettings(network_voxels=128)
    found = masking.find_brain(whole_head.volume, whole_head.affine, TARGET, settings)
    assert found.mask.dtype == bool
    assert dice(found.mask, whole_head.mask) > 0.85


def test_empty_scan_is_rejected():
    empty = np.zeros((20, 20, 20), np.float32)
    with pytest.raises(ScanRejected, match="every voxel"):
        masking.find_brain(empty, np.eye(4), TARGET, MaskSettings())


def test_the_old_setting_is_explained():
    with pytest.raises(ValidationError, match="became a list of ways"):
        MaskSettings.model_validate({"method": "deepbet"})
