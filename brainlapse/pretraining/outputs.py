"""Synthetic brains as training data, and what the card of a model trained on them says."""

from pathlib import Path

import numpy as np

from brainlapse.damage import reading
from brainlapse.pretraining.settings import PretrainingSettings
from brainlapse.space import SpaceSettings
from brainlapse.training.data.scans import ScanSet, TrainingData

CONTRACT = {"synthetic": "brains drawn from label maps; weights to start from, not to encode with"}
"""In place of a preprocessing contract: no scan fulfils it."""


def load_brains(
    train: str | Path, validation: str | Path, settings: PretrainingSettings
) -> TrainingData:
    """Map the brains of `save_brains` into memory; warps are scaled for the middle voxel size."""
    voxel_mm = middle_space(settings).voxel_mm
    return TrainingData(_scan_set(Path(train)), _scan_set(Path(validation)), voxel_mm)


def _scan_set(path: Path) -> ScanSet:
    with reading(path):
        volumes = np.load(path, mmap_mode="r", allow_pickle=False)
    return ScanSet(tuple(f"{path.stem}/{number}" for number in range(len(volumes))), volumes)


def middle_space(settings: PretrainingSettings) -> SpaceSettings:
    """Grid of a brain at the middle of the range of voxel sizes."""
    return SpaceSettings(voxel_mm=sum(settings.voxel_mm) / 2, shape=settings.shape)
