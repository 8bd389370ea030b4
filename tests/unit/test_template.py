"""The template's regions have the sizes that anatomy gives them."""

import numpy as np
import pytest

from brainlapse.space import grid_at
from brainlapse.template import load_template, load_template_brain


@pytest.fixture(scope="module")
def template():
    return load_template(grid_at(2.5, (64, 80, 64)))


def volume_ml(mask):
    return mask.sum() * 2.5**3 / 1000


def test_tissues_fill_the_brain(template):
    assert volume_ml(template.brain_mask) == pytest.approx(
        1886.5, rel=0.01
    )  # voxels of the 1 mm T1
    assert volume_ml(template.grey) == pytest.approx(1008.2, rel=0.01)
    assert volume_ml(template.white) == pytest.approx(670.3, rel=0.01)


def test_white_matter_has_intensity_one(template):
    assert np.median(template.t1[template.white > 0.95]) == pytest.approx(1, abs=0.02)


def test_brain_alone_equals_the_whole_template(template):
    t1, brain_mask = load_template_brain(grid_at(2.5, (64, 80, 64)))
    np.testing.assert_array_equal(t1, template.t1)
    np.testing.assert_array_equal(brain_mask, template.brain_mask)
