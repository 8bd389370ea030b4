"""Penalties that inner folds choose: better than a bad one, blind to whom they are judged on."""

import numpy as np
import pytest

from brainlapse.analysis.settings import AnalysisSettings
from brainlapse.analysis.tasks import tuning
from brainlapse.analysis.tasks.crossval import cross_validate, prepare_folds
from brainlapse.analysis.tasks.estimators import CLASSIFIERS, REGRESSORS
from brainlapse.analysis.tasks.evaluation import evaluate_task
from brainlapse.analysis.tasks.folds import TaskScans, select_scans
from brainlapse.analysis.tasks.splits import task_splits
from tests.unit.analysis.tasks.test_evaluation import AGES, GROUPS, cohort, noise, value

BAD = AnalysisSettings(
    bootstrap_samples=0, folds=3, tune=False, logistic_inverse_penalty=1e-6, ridge_penalty=1e6
)
TUNED = BAD.model_copy(update={"tune": True, "inner_folds": 3})


def planted(index, strength=1.0):
    """Latents in which one direction of many knows age and diagnosis."""
    latents = noise(index)
    years = (index["age_years"].to_numpy() - 60) / 10
    patient = (index["diagnosis"] == "patient").to_numpy()
    latents[:, 0, 0] += strength * years[:, None, None]
    latents[:, 0, 1] += strength * patient[:, None, None]
    return latents


def test_a_tuned_penalty_beats_a_bad_one_on_people_held_out():
    index = cohort(subjects=60)
    latents = planted(index)
    fixed, tuned = (evaluate_task(latents, index, AGES, s, seed=0) for s in (BAD, TUNED))
    assert value(tuned, "mae") < 0.6 * value(fixed, "mae")
    fixed, tuned = (evaluate_task(latents, index, GROUPS, s, seed=0) for s in (BAD, TUNED))
    true = (tuned.predictions["true"] == "patient").to_numpy(dtype=float)
    errors = [np.mean((found.predictions["score"] - true) ** 2) for found in (fixed, tuned)]
    assert errors[1] < 0.7 * errors[0]


@pytest.mark.slow
def test_shuffled_labels_are_at_chance_after_tuning():
    """Over cohorts, as one alone may lie anywhere near chance."""
    areas, slack = [], []
    for seed in range(6):
        generator = np.random.default_rng(seed)
        index = cohort(subjects=40, sessions=2, seed=seed)
        latents = planted(index)
        order = generator.permutation(40).repeat(2) * 2 + np.tile([0, 1], 40)
        targets = ["diagnosis", "age_years"]
        mixed = index.assign(**{name: index[name].to_numpy()[order] for name in targets})
        areas.append(value(evaluate_task(latents, mixed, GROUPS, TUNED, seed), "roc_auc"))
        slack.append(value(evaluate_task(latents, mixed, AGES, TUNED, seed), "r2"))
    assert 0.35 < np.mean(areas) < 0.57
    assert np.mean(slack) < 0.1


def test_the_tables_say_what_was_chosen():
    index = cohort()
    found = evaluate_task(noise(index), index, GROUPS, TUNED, seed=0)
    per_fold = found.predictions.groupby("fold")["chosen"].unique()
    assert len(per_fold) == 3
    assert all(len(words) == 1 and words[0].startswith("C ") for words in per_fold)
    assert all("components " in words[0] for words in per_fold)
    assert " of 3)" in found.metrics["chosen"].iloc[0]
    fixed = evaluate_task(noise(index), index, GROUPS, BAD, seed=0)
    assert fixed.predictions["chosen"].isna().all()
    assert fixed.metrics["chosen"].isna().all()


@pytest.mark.parametrize("task", [GROUPS, AGES], ids=["classes", "numbers"])
def test_what_is_held_out_does_not_choose(task):
    """Latents of one fold's people change: what was chosen without them stays."""
    index = cohort(subjects=30)
    latents = planted(index)
    before = evaluate_task(latents, index, task, TUNED, seed=0).predictions
    held = before.index[before["fold"] == 0]
    latents[held] = np.random.default_rng(5).normal(size=latents[held].shape)
    after = evaluate_task(latents, index, task, TUNED, seed=0).predictions
    first = (before["fold"] == 0).to_numpy()
    assert (after["fold"] == before["fold"]).all()
    assert after["chosen"][first].tolist() == before["chosen"][first].tolist()
    seen = tuning.inner_folds(select_scans(index, task), TUNED, seed=0)
    groups = select_scans(index, task).groups
    assert all(not set(groups[a]) & set(groups[b]) for a, b in seen)


def test_too_few_people_to_tune_is_said():
    scans = TaskScans(np.arange(4), np.array([0, 0, 1, 1]), ["a", "b"], np.array(list("xxyy")))
    seen = np.random.default_rng(0).normal(size=(4, 3))
    tuned = tuning.fit_tuned(seen, scans, CLASSIFIERS["logistic"], TUNED, 0, ordered=True)
    assert tuned.chosen == "not tuned: too few people"
    assert tuned.output(seen).shape == (4, 2)


def test_among_equals_the_simplest_is_taken():
    """Features that say nothing: the strongest penalty, and the fewest components."""
    index = cohort()
    scans = select_scans(index, GROUPS)
    seen = np.zeros((len(index), 8))
    tuned = tuning.fit_tuned(seen, scans, CLASSIFIERS["logistic"], TUNED, 0, ordered=True)
    assert tuned.chosen == "C 0.001, components 2"


def test_the_pull_to_the_mean_is_undone_without_the_age_of_who_is_judged():
    index = cohort(subjects=120, sessions=1)
    scans = select_scans(index, AGES)
    generator = np.random.default_rng(0)
    seen = (scans.true[:, None] - 60) / 10 + generator.normal(size=(120, 1))
    splits = task_splits(index, scans, AGES, TUNED, seed=0)[0]
    prepared = prepare_folds(seen, splits, lambda _: ["passthrough"])
    output = cross_validate(prepared, scans, REGRESSORS["ridge"], TUNED, seed=0)
    slopes = [np.polyfit(scans.true, y, 1)[0] for y in (output.values[:, 0], output.corrected)]
    assert slopes[0] < 0.75
    assert slopes[1] == pytest.approx(1, abs=0.1)
    found = evaluate_task(noise(index), index, AGES, TUNED, seed=0)  # nothing to correct
    assert np.isnan(value(found, "mae_bias_corrected"))
