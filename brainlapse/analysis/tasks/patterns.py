"""Where a linear task looks: the direction in latent space that goes with its answer.

The weights of a linear model say what to add up, not what differs: an element may weigh much only
because it takes away the noise of another one. What goes with the answer is the pattern, the
covariance of the latents times the weights (Haufe et al., 2014, doi
10.1016/j.neuroimage.2013.10.067).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline

from brainlapse.analysis.settings import AnalysisSettings, TaskSettings
from brainlapse.analysis.tasks.crossval import latent_steps
from brainlapse.analysis.tasks.estimators import estimators_of
from brainlapse.analysis.tasks.folds import TaskImpossible
from brainlapse.analysis.tasks.splits import choose_people
from brainlapse.analysis.tasks.tuning import Tuned, fit_tuned

LINEAR = ("logistic", "linear_svm", "ridge")
COLUMNS = ["task", "estimator", "toward", "n_scans", "n_subjects", "chosen", "file", "note"]


@dataclass(frozen=True)
class Pattern:
    """What goes with the answer of one task.

    Attributes
    ----------
    task : str
        Name of the task.
    step : np.ndarray | None
        Change of the latent, float32 (P,), for a rise of the model's answer (the number, or the
        log odds) by one standard deviation over the people it is fitted to. None: see ``note``.
    estimator, toward, chosen : str
        Which model; the class or column that rises along the step; what was tuned, in words.
    n_scans, n_subjects : int
        What it is fitted to.
    note : str
        Why there is none, or how the people were chosen.
    """

    task: str
    step: np.ndarray | None = None
    estimator: str = ""
    toward: str = ""
    chosen: str = ""
    n_scans: int = 0
    n_subjects: int = 0
    note: str = ""


def find_pattern(
    latents: np.ndarray,
    index: pd.DataFrame,
    task: TaskSettings,
    settings: AnalysisSettings,
    seed: int,
) -> Pattern:
    """Fit a task's first linear estimator once, to all whom its folds fit on, and turn it round.

    The model is scaled, reduced and tuned as in a training fold of the task. Nobody is judged by
    it. Arguments as `evaluate_task`.
    """
    estimators = estimators_of(task, settings)
    name = next((name for name in estimators if name in LINEAR), None)
    if name is None:
        return Pattern(
            task.name, note=f"left out: no linear estimator, only {', '.join(estimators)}"
        )
    try:
        features, scans, splits, note = choose_people(latents, index, task, settings, seed)
    except TaskImpossible as reason:
        return Pattern(task.name, note=f"left out: {reason}")
    if len(scans.classes) > 2:
        found = f"left out: {len(scans.classes)} classes, and a map has two ends"
        return Pattern(task.name, note=found)
    fitted = np.unique(np.concatenate([split.training for split in splits]))
    mine, seen = scans.subset(fitted), features[fitted]
    steps = make_pipeline(*latent_steps(seen, settings, seed))
    scores = steps.fit_transform(seen)
    tuned = fit_tuned(scores, mine, estimators[name], settings, seed, ordered=True)
    return Pattern(
        task.name,
        pattern_of(seen, scores[:, : tuned.count] @ weights_of(tuned)),
        name,
        scans.classes[1] if scans.classes else task.target,
        tuned.chosen,
        len(mine.rows),
        len(np.unique(mine.groups)),
        note,
    )


def weights_of(tuned: Tuned) -> np.ndarray:
    """Weights (K,) of a linear model of two classes or a number."""
    return np.ravel(tuned.model.coef_)


def pattern_of(latents: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Covariance of latents (N, P) with a model's answers (N,) over the answers' deviation.

    With answers = latents @ weights this is the covariance matrix of the latents times the
    weights, without ever building it; 0 where the model gives everybody the same answer.
    """
    centred = answers - answers.mean()
    size = float(np.linalg.norm(centred)) * np.sqrt(max(1, len(answers) - 1))
    if not size:
        return np.zeros(latents.shape[1], np.float32)
    return ((latents - latents.mean(axis=0)).T @ centred / size).astype(np.float32)


def pattern_table(patterns: Sequence[Pattern], folder: str) -> pd.DataFrame:
    """Return a row per task; ``file`` is relative to the output folder, empty without a map."""
    rows = [
        {**vars(one), "file": f"{folder}/{one.task}.nii.gz" if one.step is not None else None}
        for one in patterns
    ]
    return pd.DataFrame(rows, columns=COLUMNS).replace("", None)
