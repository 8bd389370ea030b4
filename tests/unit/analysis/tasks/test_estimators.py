import numpy as np
import pytest
from pydantic import ValidationError

from brainlapse.analysis import settings as names
from brainlapse.analysis.settings import AnalysisSettings, TaskSettings
from brainlapse.analysis.tasks.estimators import CLASSIFIERS, REGRESSORS
from brainlapse.analysis.tasks.evaluation import evaluate_task
from tests.unit.analysis.tasks.test_evaluation import AGES, GROUPS, cohort, noise, value

SETTINGS = AnalysisSettings(bootstrap_samples=0, folds=2, inner_folds=2, task_components=4)


def test_the_names_in_the_settings_are_those_of_the_registry():
    assert set(CLASSIFIERS) == set(names.get_args(names.Classifier))
    assert set(REGRESSORS) == set(names.get_args(names.Regressor))


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_classifier_finds_a_planted_group_and_no_other(name):
    index = cohort(subjects=40, sessions=1)
    latents = noise(index)
    task = GROUPS.model_copy(update={"estimators": [name]})
    shuffled = value(evaluate_task(latents, index, task, SETTINGS, seed=0), "roc_auc")
    latents[(index["diagnosis"] == "patient").to_numpy()] += 1
    found = evaluate_task(latents, index, task, SETTINGS, seed=0)
    assert value(found, "roc_auc") > 0.95 > 0.8 > shuffled > 0.2
    assert value(found, "balanced_accuracy") > 0.9
    assert found.predictions["score"].between(0, 1).all()
    assert set(found.metrics["estimator"]) == {name}
    assert found.predictions["chosen"].notna().all()


@pytest.mark.parametrize("name", REGRESSORS)
def test_every_regressor_finds_a_planted_age(name):
    index = cohort(subjects=60, sessions=1)
    latents = noise(index) + index["age_years"].to_numpy()[:, None, None, None, None] / 5
    task = AGES.model_copy(update={"estimators": [name]})
    found = evaluate_task(latents.astype(np.float32), index, task, SETTINGS, seed=0)
    assert value(found, "mae") < 0.5 * value(found, "mae", column="baseline")


@pytest.mark.parametrize("name", ["linear_svm", "rbf_svm"])
def test_support_vectors_of_three_classes_give_probabilities(name):
    index = cohort(subjects=36, sessions=1)
    index["stage"] = np.array(list("abc"))[np.arange(len(index)) % 3]
    latents = noise(index)
    for number in range(3):
        latents[number::3, 0, number] += 3
    task = TaskSettings(name="s", target="stage", kind="classification", estimators=[name])
    found = evaluate_task(latents, index, task, SETTINGS, seed=0)
    assert value(found, "accuracy") > 0.8
    assert found.predictions["score"].between(1 / 3, 1).all()


@pytest.mark.slow
@pytest.mark.parametrize("tune", [True, False])
def test_a_few_people_break_no_estimator(tune):
    index = cohort(subjects=6)
    few = AnalysisSettings(bootstrap_samples=0, min_subjects=2, tune=tune)
    for task, registry in ((GROUPS, CLASSIFIERS), (AGES, REGRESSORS)):
        every = task.model_copy(update={"estimators": list(registry)})
        found = evaluate_task(noise(index), index, every, few, seed=0).metrics
        assert found["estimator"].unique().tolist() == list(registry)
        assert found.loc[found["metric"].isin(["roc_auc", "mae"]), "value"].notna().any()


def test_predictions_are_of_the_first_and_metrics_of_all():
    index = cohort(subjects=30, sessions=1)
    latents = noise(index)
    both = SETTINGS.model_copy(update={"classifiers": ["knn", "logistic"]})
    found = evaluate_task(latents, index, GROUPS, both, seed=0)
    assert found.metrics["estimator"].unique().tolist() == ["knn", "logistic"]
    alone = SETTINGS.model_copy(update={"classifiers": ["knn"]})
    first = evaluate_task(latents, index, GROUPS, alone, seed=0)
    assert first.predictions.equals(found.predictions)
    assert first.metrics.equals(found.metrics.iloc[: len(first.metrics)])
    impossible = GROUPS.model_copy(update={"target": "site"})
    notes = evaluate_task(latents, index, impossible, both, seed=0).metrics
    assert notes["estimator"].unique().tolist() == ["knn", "logistic"]


def test_estimators_of_the_other_kind_or_twice_are_refused():
    with pytest.raises(ValidationError, match="estimators has 'ridge', expected for a classif"):
        TaskSettings(name="a", target="sex", kind="classification", estimators=["ridge"])
    with pytest.raises(ValidationError, match="expected each once"):
        AnalysisSettings(classifiers=["knn", "knn"])
