import numpy as np
import pytest

from brainlapse.analysis.settings import AnalysisSettings
from brainlapse.analysis.tasks.crossval import prepare_folds
from brainlapse.analysis.tasks.evaluation import evaluate_task
from brainlapse.analysis.tasks.folds import select_scans
from brainlapse.analysis.tasks.permutations import permute_people
from brainlapse.analysis.tasks.splits import task_splits
from tests.unit.analysis.tasks.test_evaluation import AGES, GROUPS, cohort, noise, value

SETTINGS = AnalysisSettings(
    bootstrap_samples=0, folds=2, inner_folds=2, task_components=4, permutations=19
)
FIXED = SETTINGS.model_copy(update={"tune": False})


@pytest.mark.parametrize(("task", "metric"), [(GROUPS, "roc_auc"), (AGES, "mae")])
def test_a_planted_effect_is_never_reached_by_chance(task, metric):
    index = cohort(subjects=40)
    latents = noise(index)
    latents[:, 0, 0] += (index["age_years"].to_numpy() / 5)[:, None, None]
    latents[:, 0, 1] += 3 * (index["diagnosis"] == "patient").to_numpy()[:, None, None]
    found = evaluate_task(latents, index, task, SETTINGS, seed=0)
    assert value(found, metric, column="p_value") == pytest.approx(1 / 20)
    assert value(found, metric, split="train", column="p_value") < 0.1
    others = found.metrics[found.metrics["metric"] != metric]
    assert others["p_value"].isna().all()


@pytest.mark.slow
@pytest.mark.parametrize(("task", "metric"), [(GROUPS, "roc_auc"), (AGES, "mae")])
def test_p_of_no_effect_is_uniform(task, metric):
    found = []
    for seed in range(30):
        index = cohort(subjects=16, seed=seed)
        order = np.random.default_rng(seed).permutation(16).repeat(2) * 2 + np.tile([0, 1], 16)
        index["diagnosis"] = index["diagnosis"].to_numpy()[order]
        result = evaluate_task(noise(index, seed + 100), index, task, FIXED, seed)
        found.append(value(result, metric, column="p_value"))
    assert 0.35 < np.mean(found) < 0.65  # 0.5 +- 2.8 standard errors
    assert np.mean(np.array(found) <= 0.2) < 0.45


def test_people_swap_all_their_targets_and_stay_in_their_fold():
    index = cohort(subjects=20)
    index = index.drop(index.index[3])  # one with a single scan
    scans = select_scans(index, AGES)
    splits = task_splits(index, scans, AGES, SETTINGS, seed=0)[0]
    prepared = prepare_folds(
        noise(index).reshape(len(index), -1), splits, lambda _: ["passthrough"]
    )
    shuffled = permute_people(scans, prepared, np.random.default_rng(0))
    assert (shuffled.true != scans.true).mean() > 0.7
    for split in splits:
        both = scans.true[split.held_out], shuffled.true[split.held_out]
        assert set(both[1]) <= set(both[0])
    before = dict(zip(scans.true, scans.groups, strict=True))
    for person in np.unique(scans.groups):
        givers = {before[number] for number in shuffled.true[scans.groups == person]}
        assert len(givers) == 1


def test_no_permutations_no_p():
    index = cohort()
    found = evaluate_task(
        noise(index), index, GROUPS, FIXED.model_copy(update={"permutations": 0}), seed=0
    )
    assert found.metrics["p_value"].isna().all()
