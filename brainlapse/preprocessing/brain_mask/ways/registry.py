"""The ways by name, as `preprocess.mask.ways` lists them."""

from collections.abc import Callable

import numpy as np

from brainlapse.preprocessing.brain_mask.raw_head import RawHead
from brainlapse.preprocessing.brain_mask.ways.deepbet import (
    find_as_stored,
    find_flattened,
    find_upright,
)
from brainlapse.preprocessing.brain_mask.ways.stripped import find_stripped
from brainlapse.preprocessing.brain_mask.ways.synthstrip import find_with_synthstrip
from brainlapse.preprocessing.brain_mask.ways.template import find_with_template

WAYS: dict[str, Callable[[RawHead], np.ndarray]] = {
    "stripped": find_stripped,
    "deepbet": find_as_stored,
    "deepbet-upright": find_upright,
    "deepbet-flattened": find_flattened,
    "synthstrip": find_with_synthstrip,
    "template": find_with_template,
}
"""Each returns a mask, bool (X, Y, Z), on the head's grid, or raises NoMask or WayMissing."""
