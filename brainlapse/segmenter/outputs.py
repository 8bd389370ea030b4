"""What a training of the segmenter leaves behind."""

from pathlib import Path

import pandas as pd
import torch
from safetensors.torch import save_file

from brainlapse.runtime import atomic_path
from brainlapse.segmentation.classes import CLASS_LABELS
from brainlapse.segmenter.loop import SegmenterState


def save_segmenter(path: str | Path, state: SegmenterState) -> None:
    """Write the averaged weights as safetensors, in half precision.

    The statistics of the batch normalisation stay in single precision: variances of the coarsest
    level exceed the largest half-precision number.
    """
    weights = {
        name: _stored(name, value).contiguous().cpu()
        for name, value in state.average.state_dict().items()
    }
    with atomic_path(path) as temporary:
        save_file(weights, temporary)


def _stored(name: str, value: torch.Tensor) -> torch.Tensor:
    if not value.is_floating_point():
        return value
    return value.float() if "running_" in name else value.half()


def history_table(state: SegmenterState) -> pd.DataFrame:
    """Losses and Dice of the validation heads, by the label of each structure's left side."""
    names = {f"dice_class_{n}": f"dice_{label}" for n, label in enumerate(CLASS_LABELS)}
    return pd.DataFrame(state.history).rename(columns=names)
