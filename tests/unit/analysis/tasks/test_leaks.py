"""What a sceptical reader would try on the tasks: planted leaks, planted effects, planted sites."""

import numpy as np
import pandas as pd
import pytest

from brainlapse.analysis.settings import AnalysisSettings, TaskSettings
from brainlapse.analysis.tasks import splits
from brainlapse.analysis.tasks.evaluation import evaluate_task

SETTINGS = AnalysisSettings(bootstrap_samples=200, inner_folds=3)
TASK = TaskSettings(name="groups", target="diagnosis", kind="classification", positive="patient")


def cohort(generator, people=80):
    """Two scans each; site and diagnosis at random and independent."""
    number = np.repeat(np.arange(people), 2)
    patient = generator.permutation(np.arange(people) % 2 == 1)
    site = generator.permutation(np.arange(people) % 4 // 2)
    return pd.DataFrame(
        {
            "dataset": "toy",
            "subject": [f"sub-{n:02d}" for n in number],
            "session": np.tile(["ses-1", "ses-2"], people),
            "scan": [f"sub-{n:02d}_ses-{k % 2 + 1}" for k, n in enumerate(number)],
            "split": "test",
            "diagnosis": np.where(patient, "patient", "control")[number],
            "site": np.array(["north", "south"])[site][number],
            "flagged": False,
        }
    )


def faces(index, generator):
    """Latents (N, 2, 3, 3, 3) that tell people apart without fail and know nothing else."""
    code, _ = pd.factorize(index["subject"])
    own = generator.normal(size=(code.max() + 1, 2, 3, 3, 3))
    return own[code] + 0.02 * generator.normal(size=(len(index), 2, 3, 3, 3))


def judged(latents, index, task=TASK):
    found = evaluate_task(latents.astype(np.float32), index, task, SETTINGS, seed=0).metrics
    rows = (found["metric"] == "roc_auc") & (found["autoencoder_split"] == "all")
    return found[rows].iloc[0]


def copied(latents, index, generator):
    """Everybody once more under a new name, the images saved anew."""
    again = index.assign(
        subject="copy-" + index["subject"].str[4:], scan="copy-" + index["scan"].str[4:]
    )
    changed = latents + 0.02 * generator.normal(size=latents.shape)
    return np.concatenate([latents, changed]), pd.concat([index, again], ignore_index=True)


@pytest.mark.slow
def test_a_target_that_only_faces_tell_is_at_chance():
    """Intervals leave out the uncertainty of training, so that a few of ten may miss chance."""
    rows = []
    for seed in range(10):
        generator = np.random.default_rng(seed)
        index = cohort(generator)
        rows.append(judged(faces(index, generator), index))
    found = pd.DataFrame(rows)
    assert found["value"].mean() < 0.57  # folds of scans instead of people: 0.61
    assert ((found["ci_low"] <= 0.5) & (found["ci_high"] >= 0.5)).sum() >= 7  # and then: 4


def test_shuffled_labels_of_a_true_effect_are_at_chance():
    generator = np.random.default_rng(1)
    index = cohort(generator)
    latents = faces(index, generator)
    latents[(index["diagnosis"] == "patient").to_numpy()] += 0.5
    true = judged(latents, index)
    assert true["ci_low"] > 0.8
    first = index["diagnosis"].to_numpy()[::2]
    shuffled = judged(latents, index.assign(diagnosis=generator.permutation(first).repeat(2)))
    assert shuffled["ci_low"] <= 0.5 <= shuffled["ci_high"]


def test_people_under_two_names_are_caught(monkeypatch):
    """Judged over cohorts, as 30 people at chance may lie anywhere near it."""
    areas = []
    for seed in (2, 3, 4, 5):
        generator = np.random.default_rng(seed)
        index = cohort(generator, people=30)
        latents, both = copied(faces(index, generator), index, generator)
        caught = judged(latents, both)
        areas.append(caught["value"])
        assert caught["n_subjects"] == 30
        assert "toy/copy-00 and toy/sub-00" in caught["note"]
        assert "and 27 pairs more" in caught["note"]
    assert 0.4 < np.mean(areas) < 0.6
    monkeypatch.setattr(splits, "merge_twins", lambda _, scans: (scans, ""))
    leaking = judged(latents, both)
    assert leaking["ci_low"] > 0.6  # so the copies do give the target away


@pytest.mark.parametrize("shift", [0, 3, 300], ids=["one-site", "two-sites", "far-sites"])
def test_people_of_their_own_stay_apart(shift):
    generator = np.random.default_rng(3)
    index = cohort(generator)
    latents = faces(index, generator)
    latents[(index["site"] == "north").to_numpy()] += shift
    row = judged(latents, index)
    assert row["n_subjects"] == 80
    assert pd.isna(row["note"])


def test_latents_that_say_nothing_join_nobody():
    generator = np.random.default_rng(4)
    index = cohort(generator)
    assert judged(np.zeros((len(index), 1, 2, 2, 2)), index)["n_subjects"] == 80


def test_strangers_that_meet_in_few_dimensions_stay_apart():
    generator = np.random.default_rng(7)
    index = cohort(generator)
    row = judged(generator.normal(size=(len(index), 2, 1, 1, 1)), index)
    assert row["n_subjects"] == 80


def test_a_class_that_is_one_person_under_several_names_is_a_note():
    generator = np.random.default_rng(5)
    index = cohort(generator, people=40)
    latents = faces(index, generator)
    patients = np.arange(len(index)) < 8
    index["diagnosis"] = np.where(patients, "patient", "control")
    latents[patients] = latents[0] + 0.02 * generator.normal(size=(8, *latents.shape[1:]))
    row = judged(latents, index)
    assert np.isnan(row["value"])
    assert "class 'patient' of 'diagnosis' has 1 subjects, at least 4" in row["note"]


def test_a_site_that_goes_with_the_diagnosis_is_exposed():
    """Latents know the site alone: the confounds beside them do as well."""
    generator = np.random.default_rng(6)
    index = cohort(generator)
    patient = (index["diagnosis"] == "patient").to_numpy()
    moved = (generator.random(len(index) // 2) < 0.1).repeat(2)
    index["site"] = np.where(patient ^ moved, "south", "north")
    latents = faces(index, generator)
    latents[(index["site"] == "south").to_numpy()] += 1
    row = judged(latents, index, TASK.model_copy(update={"covariates": ["site"]}))
    assert row["value"] > 0.8
    assert row["ci_low"] <= row["confounds"] <= row["ci_high"]
    assert row["adjusted"] < 0.65  # chance is 0.5


def test_what_goes_beyond_the_covariates_stays_after_adjusting():
    """The site moves the same latents as the group; who is patient at which site is chance."""
    generator = np.random.default_rng(8)
    index = cohort(generator)
    patient = (index["diagnosis"] == "patient").to_numpy()
    index["site"] = np.where(generator.random(len(index) // 2).repeat(2) < 0.5, "south", "north")
    latents = faces(index, generator)
    latents[patient] += 1
    latents[(index["site"] == "south").to_numpy()] += 3
    row = judged(latents, index, TASK.model_copy(update={"covariates": ["site"]}))
    assert row["adjusted"] > 0.9
