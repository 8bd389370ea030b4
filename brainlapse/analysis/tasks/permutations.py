"""How often shuffled targets do as well: fitted and tuned again, on targets that people swapped."""

from dataclasses import replace

import numpy as np

from brainlapse.analysis.settings import AnalysisSettings
from brainlapse.analysis.tasks.crossval import FoldData, Output, cross_validate
from brainlapse.analysis.tasks.estimators import Estimator
from brainlapse.analysis.tasks.folds import TaskScans
from brainlapse.analysis.tasks.tables import metrics_of


def main_metric(scans: TaskScans) -> str:
    """Return the metric that is permuted."""
    return "roc_auc" if scans.classes else "mae"


def permutation_p_values(
    prepared: list[FoldData],
    scans: TaskScans,
    output: Output,
    rows: dict[str, np.ndarray],
    estimator: Estimator,
    settings: AnalysisSettings,
    seed: int,
) -> dict[str, float]:
    """Share of permutations whose main metric is at least as good, the true order among them.

    Components never saw a target, so that they are not fitted again; the model is, and tuned.

    Parameters
    ----------
    prepared, scans, output, estimator, settings, seed
        What was fitted to the true targets, and its output.
    rows : dict[str, np.ndarray]
        Positions that the metric is taken over, by name.

    Returns
    -------
    dict[str, float]
        p by the names of ``rows``; NaN where the metric has no value.
    """
    metric, sign = main_metric(scans), 1 if scans.classes else -1
    true = metrics_of(scans, output)[metric]
    observed = {name: sign * true(positions) for name, positions in rows.items()}
    as_good, made = dict.fromkeys(rows, 0), dict.fromkeys(rows, 0)
    generator = np.random.default_rng(seed)
    for _ in range(settings.permutations):
        shuffled = permute_people(scans, prepared, generator)
        if not _all_classes_seen(shuffled, prepared):
            continue
        found = cross_validate(prepared, shuffled, estimator, settings, seed, ordered=True)
        function = metrics_of(shuffled, found)[metric]
        for name, positions in rows.items():
            value = sign * function(positions)
            made[name] += int(np.isfinite(value))
            as_good[name] += int(value >= observed[name] - 1e-12)
    known = {name: np.isfinite(value) and made[name] > 0 for name, value in observed.items()}
    return {n: (1 + as_good[n]) / (1 + made[n]) if known[n] else np.nan for n in rows}


def permute_people(
    scans: TaskScans, prepared: list[FoldData], generator: np.random.Generator
) -> TaskScans:
    """Let the people of each fold swap their targets, whole people with whole people.

    Within folds, as folds were balanced on the true targets: classes stay as balanced as they
    are, and a site that is a fold of its own keeps its share of each class. Somebody with more
    scans than the one whose targets he takes goes through them again.
    """
    fold = np.full(len(scans.true), -1)
    for number, data in enumerate(prepared):
        fold[data.split.held_out] = number
    shuffled = scans.true.copy()
    for number in np.unique(fold):
        mine = np.flatnonzero(fold == number)
        people = [mine[scans.groups[mine] == name] for name in np.unique(scans.groups[mine])]
        for taker, giver in enumerate(generator.permutation(len(people))):
            shuffled[people[taker]] = np.resize(scans.true[people[giver]], len(people[taker]))
    return replace(scans, true=shuffled)


def _all_classes_seen(scans: TaskScans, prepared: list[FoldData]) -> bool:
    least = max(2, len(scans.classes))
    return all(len(np.unique(scans.true[data.split.training])) >= least for data in prepared)
