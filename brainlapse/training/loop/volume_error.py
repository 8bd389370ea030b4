"""Error of regional volumes on validation scans, by a judge that is handed in.

The judge lies in brainlapse/segmentation/, which no training code imports: an edit there would
otherwise train every model again, also those whose weights are selected by the loss. Where it is
asked for it is imported by name, and the rule adds its code to the model's fingerprint.
"""

import importlib
from typing import Protocol

import numpy as np

from brainlapse.space import Grid
from brainlapse.training.data.scans import ScanSet, to_batch
from brainlapse.training.loop.steps import Engine, reconstruct
from brainlapse.training.model.state import TrainingState
from brainlapse.training.settings import TrainingSettings

JUDGE_MODULE = "brainlapse.segmentation.embedded.judge"


class VolumeJudge(Protocol):
    """Compares regional volumes of reconstructions and scans."""

    def error_pct(self, name: str, scan: np.ndarray, reconstruction: np.ndarray) -> float:
        """Mean absolute error of the regional volumes [%]; scans are known by their name."""


def load_judge(settings: TrainingSettings, grid: Grid) -> VolumeJudge | None:
    """Load the embedded segmenter as a judge, where volumes select the weights."""
    if settings.selection != "volumes":
        return None
    return importlib.import_module(JUDGE_MODULE).SegmenterJudge(grid)


def judged_scans(count: int, wanted: int) -> list[int]:
    """Spread the scans to be segmented evenly over the validation scans."""
    return np.unique(np.linspace(0, count - 1, min(count, wanted)).round().astype(int)).tolist()


def validation_volume_error(
    state: TrainingState, scans: ScanSet, engine: Engine, judge: VolumeJudge
) -> float:
    """Mean absolute error [%] over the judged validation scans and their regions."""
    rows = judged_scans(len(scans.names), engine.settings.training.selection_scans)
    total = 0.0
    for row in engine.processes.part(rows):
        volume = to_batch(scans.volumes[row : row + 1], engine.device)
        found = reconstruct(state, volume, engine).clamp(0, 1)[0, 0].cpu().numpy()
        total += judge.error_pct(scans.names[row], scans.volumes[row].astype(np.float32), found)
    return engine.processes.add({"error": total})["error"] / len(rows)
