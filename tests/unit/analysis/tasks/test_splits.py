"""Fitted here, judged there: what holds everywhere carries over, what one site has does not."""

import numpy as np
import pytest
from pydantic import ValidationError

from brainlapse.analysis.settings import AnalysisSettings, TaskSettings
from brainlapse.analysis.tasks.evaluation import evaluate_task
from tests.unit.analysis.tasks.test_evaluation import AGES, GROUPS, cohort, noise, value

SETTINGS = AnalysisSettings(
    bootstrap_samples=50, folds=3, inner_folds=3, task_components=8, tune=False
)
ELSEWHERE = {"train_datasets": ["ixi"]}
EACH_SITE = {"leave_out": "site"}


def two_sites(people=120):
    """As many patients at each, a data set each; the second has two sites."""
    index = cohort(subjects=people, sessions=1)
    number = np.arange(people)
    index["dataset"] = np.where(number < people // 2, "ixi", "clinic")
    index["site"] = np.where(index["dataset"] == "ixi", "1", (number // 2 % 2 + 1).astype(str))
    return index


def with_effect(index, where):
    latents = noise(index)
    patient = (index["diagnosis"] == "patient").to_numpy()
    latents[patient & where] += 1
    latents[(index["dataset"] == "clinic").to_numpy(), 0, 0] += 3  # another scanner
    return latents


@pytest.mark.parametrize("change", [ELSEWHERE, EACH_SITE], ids=["datasets", "sites"])
def test_an_effect_of_everywhere_carries_over(change):
    index = two_sites()
    task = GROUPS.model_copy(update=change)
    found = evaluate_task(with_effect(index, np.full(120, True)), index, task, SETTINGS, seed=0)
    assert value(found, "roc_auc") > 0.85  # the scanners' offset takes part of the components
    row = found.metrics[found.metrics["metric"] == "roc_auc"].iloc[0]
    if row["value"] == 1.0:  # on some machines' draws of the components
        assert "every drawing of these people gives the same value" in row["note"]
    else:
        assert row["ci_low"] > 0.75


def test_an_effect_of_one_site_is_found_in_folds_and_does_not_carry_over():
    index = two_sites()
    ixi = (index["dataset"] == "ixi").to_numpy()
    latents = with_effect(index, ixi)
    only_ixi = GROUPS.model_copy(update={"datasets": ["ixi"]})
    assert value(evaluate_task(latents, index, only_ixi, SETTINGS, seed=0), "roc_auc") > 0.9
    elsewhere = evaluate_task(latents, index, GROUPS.model_copy(update=ELSEWHERE), SETTINGS, seed=0)
    row = elsewhere.metrics[elsewhere.metrics["metric"] == "roc_auc"].iloc[0]
    assert row["ci_low"] < 0.5 < row["ci_high"]
    assert row["n_subjects"] == 60
    assert row["n_folds"] == 1
    assert "fitted on ixi, judged on the others" in row["note"]
    assert set(elsewhere.predictions["dataset"]) == {"clinic"}


def test_a_site_is_held_out_whole_and_sites_of_one_name_are_two():
    index = two_sites()
    index.loc[0, "site"] = None
    task = GROUPS.model_copy(update=EACH_SITE)
    found = evaluate_task(noise(index), index, task, SETTINGS, seed=0)
    joined = found.predictions.merge(index[["scan", "site"]], on="scan")
    places = joined.groupby("fold")[["dataset", "site"]].nunique()
    assert (places == 1).all(axis=None)
    assert len(places) == 3
    assert set(joined["note"]) == {"held out: clinic/1", "held out: clinic/2", "held out: ixi/1"}
    assert index["scan"][0] not in set(joined["scan"])
    assert found.metrics["note"].str.contains("1 scans without site left out").all()


@pytest.mark.parametrize("change", [ELSEWHERE, {"leave_out": "dataset"}])
def test_what_is_judged_fits_nothing(change):
    """People seen at both places are not fitted on; targets of who is judged change nothing."""
    index = two_sites()
    index["person"] = index["subject"]
    index.loc[60:69, "person"] = index.loc[0:9, "person"].to_numpy()
    task = AGES.model_copy(update={**change, "covariates": ["sex"]})
    latents = noise(index)
    before = evaluate_task(latents, index, task, SETTINGS, seed=0).predictions
    shared = np.arange(len(index)) < 10
    latents[shared] += 50
    index.loc[shared, "age_years"] += 20
    clinic = (index["dataset"] == "clinic").to_numpy()
    index.loc[clinic, "age_years"] = index.loc[clinic, "age_years"].to_numpy()[::-1]
    after = evaluate_task(latents, index, task, SETTINGS, seed=0).predictions
    there = before["dataset"] == "clinic"
    np.testing.assert_allclose(
        before.loc[there, "predicted"], after.loc[(after["dataset"] == "clinic"), "predicted"]
    )


def test_baseline_and_confounds_are_of_the_same_split():
    index = two_sites()
    index["age_years"] += 10.0 * (index["dataset"] == "clinic")
    index["scanner"] = index["age_years"]
    task = AGES.model_copy(update={**ELSEWHERE, "covariates": ["scanner"]})
    found = evaluate_task(noise(index), index, task, SETTINGS, seed=0)
    ages = index.groupby("dataset")["age_years"]
    clinic = index["age_years"][index["dataset"] == "clinic"]
    expected = np.abs(clinic - ages.mean()["ixi"]).mean()
    assert value(found, "mae", column="baseline") == pytest.approx(expected)
    assert value(found, "mae", column="confounds") < 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"train_datasets": ["oasis"]}, "in oasis, which the task is fitted on: class 'control'"),
        ({"train_datasets": ["ixi", "clinic"]}, "no scan of a data set other than ixi, clinic"),
        ({"leave_out": "scanner"}, "no column 'scanner' to leave out"),
        ({"leave_out": "split_half"}, "whatever 'split_half' is left out, the rest has too few"),
        ({"leave_out": "site", "datasets": ["ixi"]}, "fewer than two values of 'site'"),
    ],
)
def test_what_cannot_be_split_is_a_note(change, reason):
    index = two_sites()
    index["split_half"] = index["diagnosis"] + "s"
    index["dataset"] = index["dataset"].where(index["dataset"] == "ixi", "clinic")
    if change.get("leave_out") == "split_half":
        index["dataset"] = "ixi"
    found = evaluate_task(noise(index), index, GROUPS.model_copy(update=change), SETTINGS, seed=0)
    assert found.predictions.empty
    assert found.metrics["note"].str.contains(reason).all()


def test_a_site_without_which_a_class_is_gone_is_not_judged():
    index = two_sites()
    index.loc[index["dataset"] == "clinic", "diagnosis"] = "control"
    task = GROUPS.model_copy(update={"leave_out": "dataset"})
    found = evaluate_task(noise(index), index, task, SETTINGS, seed=0)
    assert set(found.predictions["dataset"]) == {"clinic"}
    assert found.metrics["note"].str.contains("too few people: ixi").all()
    assert np.isnan(value(found, "roc_auc"))
    assert value(found, "specificity") > 0


def test_permutations_stay_inside_a_site():
    index = two_sites(40)
    settings = SETTINGS.model_copy(update={"permutations": 9})
    task = GROUPS.model_copy(update=ELSEWHERE)
    found = evaluate_task(with_effect(index, np.full(40, True)), index, task, settings, seed=0)
    assert value(found, "roc_auc", column="p_value") == pytest.approx(0.1)


def test_settings_that_contradict_are_refused():
    base = {"name": "a", "target": "sex", "kind": "classification"}
    with pytest.raises(ValidationError, match="train_datasets or leave_out, found both"):
        TaskSettings(**base, train_datasets=["ixi"], leave_out="site")
    with pytest.raises(ValidationError, match="leave_out is the target"):
        TaskSettings(**base, leave_out="sex")
    with pytest.raises(ValidationError, match="expected some and not all of datasets"):
        TaskSettings(**base, train_datasets=["ixi"], datasets=["ixi"])
