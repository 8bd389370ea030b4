"""The template's mask laid on a head: rough, but it lands."""

import numpy as np
import pytest

from brainlapse.preprocessing.agreement import dice
from brainlapse.preprocessing.brain_mask.raw_head import NoMask
from brainlapse.preprocessing.brain_mask.ways.template import find_with_template


@pytest.mark.parametrize("vector_deg", [(0, 0, 0), (-30, 10, 20)])
def test_it_lands_on_the_brain(raw, turned_head, vector_deg):
    head = turned_head(vector_deg)
    assert dice(find_with_template(raw(head)), head.mask) > 0.9


def test_what_is_no_head_gets_no_mask(raw, head):
    noise = np.random.default_rng(0).normal(0, 20, (84, 84, 84))
    cube = np.pad(100 + noise, 6).astype(np.float32)
    with pytest.raises(NoMask, match=r"correlates at 0\.\d\d with the template"):
        find_with_template(raw(head._replace(volume=cube, affine=np.diag([2, 2, 2, 1.0]))))
