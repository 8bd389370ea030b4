"""The template's mask laid on the head: rough, for heads that no network understands."""

import numpy as np

from brainlapse.preprocessing.brain_mask.raw_head import NoMask, RawHead
from brainlapse.preprocessing.brain_mask.upright import sample


def find_with_template(head: RawHead) -> np.ndarray:
    """Shape and size of the brain are the template's but for rotation, shift and one scale.

    Raises
    ------
    NoMask
        If the head resembles the template too little.
    """
    least = head.settings.min_template_correlation
    if head.pose.correlation < least:
        message = (
            f"a head that correlates at {head.pose.correlation:.2f} with the template, at least "
            f"{least:g} expected"
        )
        raise NoMask(message)
    t1, affine = head.target
    to_template = np.linalg.inv(head.pose.transform) @ head.affine
    return sample(t1 > 0, affine, to_template, head.volume.shape) > 0.5
