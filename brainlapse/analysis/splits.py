"""What a task's models are fitted on, and what they are judged on."""

from dataclasses import dataclass

import numpy as np

from brainlapse.analysis.folds import TaskScans, subject_folds
from brainlapse.analysis.settings import AnalysisSettings


@dataclass(frozen=True)
class Split:
    """Positions among a task's scans, int arrays; nobody is in both."""

    training: np.ndarray
    held_out: np.ndarray


def task_splits(scans: TaskScans, settings: AnalysisSettings, seed: int) -> list[Split]:
    """Folds of a task.

    Raises
    ------
    TaskImpossible
        If the cohort has too few people for them.
    """
    fold = subject_folds(scans, settings.folds, seed)
    return [Split(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in np.unique(fold)]
