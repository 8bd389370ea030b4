import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from brainlapse.analysis.settings import AnalysisSettings, TaskSettings
from brainlapse.analysis.tasks.confounds import add_head_size
from brainlapse.analysis.tasks.evaluation import evaluate_task
from brainlapse.analysis.tasks.folds import select_scans, subject_folds
from brainlapse.analysis.tasks.tables import METRIC_COLUMNS, PREDICTION_COLUMNS

SETTINGS = AnalysisSettings(bootstrap_samples=50, task_components=5, inner_folds=2)
GROUPS = TaskSettings(name="groups", target="diagnosis", kind="classification")
AGES = TaskSettings(name="ages", target="age_years", kind="regression")


def cohort(subjects=40, sessions=2, seed=0):
    """Subjects of two groups, alternating, with ages at random."""
    generator = np.random.default_rng(seed)
    number = np.repeat(np.arange(subjects), sessions)
    session = np.tile(np.arange(1, sessions + 1), subjects)
    names = [f"sub-{n:02d}" for n in number]
    return pd.DataFrame(
        {
            "dataset": "demo",
            "subject": names,
            "session": [f"ses-{s}" for s in session],
            "scan": [f"{name}_ses-{s}" for name, s in zip(names, session, strict=True)],
            "split": np.where(number % 4 == 3, "test", "train"),
            "diagnosis": np.where(number % 2, "patient", "control"),
            "sex": np.where(number % 3, "F", "M"),
            "age_years": np.repeat(generator.uniform(40, 80, subjects), sessions) + session,
            "flagged": False,
        }
    )


def noise(index, seed=1):
    """Latents that know the subject and nothing else."""
    generator = np.random.default_rng(seed)
    code, _ = pd.factorize(index["subject"])
    own = generator.normal(size=(code.max() + 1, 1, 4, 4, 4))
    return (own[code] + 0.1 * generator.normal(size=(len(index), 1, 4, 4, 4))).astype(np.float32)


def value(result, metric, split="all", column="value"):
    table = result.metrics
    row = table[(table["metric"] == metric) & (table["autoencoder_split"] == split)]
    return row[column].item()


@pytest.mark.parametrize("task", [GROUPS, AGES], ids=["classes", "numbers"])
def test_scans_of_a_subject_share_a_fold(task):
    scans = select_scans(cohort(), task)
    fold = subject_folds(scans, folds=5, seed=0)
    assert sorted(set(fold)) == [0, 1, 2, 3, 4]
    per_subject = pd.Series(fold).groupby(scans.groups).nunique()
    assert (per_subject == 1).all()


def test_equal_subject_names_in_two_datasets_are_two_subjects():
    index = cohort()
    both = pd.concat([index, index.assign(dataset="clinic")], ignore_index=True)
    assert len(set(select_scans(both, GROUPS).groups)) == 80


def test_one_person_in_two_datasets_shares_a_fold():
    index = cohort()
    both = pd.concat([index, index.assign(dataset="clinic")], ignore_index=True)
    both["person"] = "x/" + both["subject"]
    predictions = evaluate_task(noise(both), both, GROUPS, SETTINGS, seed=0).predictions
    folds = predictions[["subject", "fold"]].drop_duplicates()
    assert not folds["subject"].duplicated().any()


def test_random_labels_give_chance():
    index = cohort(subjects=60)
    result = evaluate_task(noise(index), index, GROUPS, SETTINGS, seed=0)
    assert abs(value(result, "balanced_accuracy") - 0.5) < 0.2
    assert value(result, "balanced_accuracy", column="baseline") == 0.5
    regression = evaluate_task(noise(index), index, AGES, SETTINGS, seed=0)
    assert value(regression, "r2") < 0.2


def test_planted_group_is_found():
    index = cohort()
    latents = noise(index)
    latents[(index["diagnosis"] == "patient").to_numpy()] += 2
    result = evaluate_task(latents, index, GROUPS, SETTINGS, seed=0)
    assert value(result, "balanced_accuracy") > 0.95
    assert value(result, "roc_auc") > 0.95
    assert list(result.metrics) == METRIC_COLUMNS
    assert list(result.predictions) == PREDICTION_COLUMNS
    patients = result.predictions["true"] == "patient"  # last in alphabetical order
    assert result.predictions.loc[patients, "score"].mean() > 0.8
    train = result.metrics[result.metrics["autoencoder_split"] == "train"]
    assert train["note"].str.contains("trained on these images").all()


def test_planted_age_is_found():
    index = cohort()
    latents = noise(index) + index["age_years"].to_numpy()[:, None, None, None, None] / 10
    result = evaluate_task(latents.astype(np.float32), index, AGES, SETTINGS, seed=0)
    assert value(result, "mae") < 0.5 * value(result, "mae", column="baseline")
    assert value(result, "r2") > 0.7
    assert np.isnan(value(result, "pearson_r", column="baseline"))


def test_confounds_baseline_shows_what_sex_alone_tells():
    index = cohort()
    index["sex"] = np.where(index["diagnosis"] == "patient", "F", "M")
    index.loc[:5, "age_years"] = np.nan
    task = GROUPS.model_copy(update={"covariates": ["sex", "age_years"]})
    result = evaluate_task(noise(index), index, task, SETTINGS, seed=0)
    assert value(result, "balanced_accuracy", column="confounds") > 0.95
    missing = GROUPS.model_copy(update={"covariates": ["site"]})
    result = evaluate_task(noise(index), index, missing, SETTINGS, seed=0)
    assert result.metrics["note"].str.contains("these scans have no site").all()


def test_the_size_of_the_head_stands_beside():
    """Patients have small heads; the latents don't know."""
    index = cohort()
    patient = (index["diagnosis"] == "patient").to_numpy()
    quality = index[["dataset", "scan"]].assign(intracranial_ml=np.where(patient, 1200.0, 1500.0))
    sized = add_head_size(index, quality.iloc[::-1].iloc[1:])  # another order, one is missing
    assert sized["scan"].tolist() == index["scan"].tolist()
    task = GROUPS.model_copy(update={"covariates": ["intracranial_ml"]})
    result = evaluate_task(noise(index), sized, task, SETTINGS, seed=0)
    assert value(result, "balanced_accuracy", column="confounds") > 0.95
    empty = add_head_size(index, quality.assign(intracranial_ml=np.nan))
    result = evaluate_task(noise(index), empty, task, SETTINGS, seed=0)
    assert result.metrics["note"].str.contains("these scans have no intracranial_ml").all()
    mine = index.assign(Intracranial_ml=np.where(patient, 1500.0, 1200.0))
    assert add_head_size(mine, quality) is mine  # what somebody states of their people is theirs


def test_unknown_ages_and_flagged_scans_are_left_out():
    index = cohort()
    index.loc[0, "age_years"] = np.nan
    index.loc[5, "flagged"] = True
    result = evaluate_task(noise(index), index, AGES, SETTINGS, seed=0)
    left_out = set(index["scan"]) - set(result.predictions["scan"])
    assert left_out == {index["scan"][0], index["scan"][5]}


def test_what_is_held_out_moves_nothing_but_its_own_fold():
    """One subject's latents change: predictions from models that never saw it stay."""
    index = cohort()
    latents = noise(index)
    before = evaluate_task(latents, index, AGES, SETTINGS, seed=0).predictions
    latents[:2] += 50
    after = evaluate_task(latents, index, AGES, SETTINGS, seed=0).predictions
    mates = (before["fold"] == before["fold"][0]) & (before["subject"] != before["subject"][0])
    pd.testing.assert_frame_equal(before[mates], after[mates])


def test_same_seed_same_tables():
    index = cohort()
    first, second = (evaluate_task(noise(index), index, GROUPS, SETTINGS, 3) for _ in range(2))
    pd.testing.assert_frame_equal(first.metrics, second.metrics)
    pd.testing.assert_frame_equal(first.predictions, second.predictions)


def test_three_classes_and_numeric_names():
    index = cohort()
    index["stage"] = np.arange(len(index)) // 2 % 3 * 1.0
    latents = noise(index) + 3 * index["stage"].to_numpy()[:, None, None, None, None]
    task = TaskSettings(name="stage", target="stage", kind="classification", classes=list("012"))
    result = evaluate_task(latents.astype(np.float32), index, task, SETTINGS, seed=0)
    assert set(result.predictions["predicted"]) == {"0", "1", "2"}
    assert value(result, "accuracy") > 0.9


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"target": "site"}, "no column 'site'"),
        ({"target": "dataset"}, "fewer than two classes: demo"),
        ({"classes": ["control", "mci"]}, "class 'mci' of 'diagnosis' has 0 subjects"),
        ({"datasets": ["elsewhere"]}, "fewer than two classes: none"),
        ({"target": "sex", "kind": "regression"}, "0 subjects have a number"),
    ],
)
def test_what_the_cohort_does_not_allow_is_a_note(change, reason):
    index = cohort()
    result = evaluate_task(noise(index), index, GROUPS.model_copy(update=change), SETTINGS, 0)
    assert result.predictions.empty
    assert list(result.predictions) == PREDICTION_COLUMNS
    assert list(result.metrics) == METRIC_COLUMNS
    assert result.metrics["note"].str.contains(reason).all()
    assert result.metrics["value"].isna().all()


@pytest.mark.parametrize("subjects", [8, 9, 10, 13])
def test_few_subjects_never_break_the_run(subjects):
    index = cohort(subjects=subjects)
    for task in (GROUPS, AGES):
        result = evaluate_task(noise(index), index, task, SETTINGS, seed=0)
        assert len(result.metrics) > 0


def test_settings_that_contradict_are_refused():
    with pytest.raises(ValidationError, match="must not hold the target"):
        TaskSettings(name="a", target="sex", kind="classification", covariates=["sex"])
    with pytest.raises(ValidationError, match="belong to a classification"):
        TaskSettings(name="a", target="age_years", kind="regression", positive="x")
    with pytest.raises(ValidationError, match="expected one of"):
        TaskSettings(
            name="a", target="sex", kind="classification", classes=["F", "M"], positive="f"
        )


def test_columns_go_by_the_names_of_the_users_table():
    index = cohort()
    index = index.assign(Group=index["diagnosis"], status_stated=index["sex"], status="accepted")
    latents = noise(index)
    names = {"group": "diagnosis", "status": "sex", "AGE": "age_years"}
    for target, covariate in (("group", "AGE"), ("status", "AGE"), ("AGE", "group")):
        kind = "regression" if target == "AGE" else "classification"
        found, expected = (
            evaluate_task(
                latents,
                index,
                TaskSettings(name="a", target=named, kind=kind, covariates=[beside]),
                SETTINGS.model_copy(update={"tune": False}),
                seed=0,
            ).metrics
            for named, beside in ((target, covariate), (names[target], names[covariate]))
        )
        pd.testing.assert_frame_equal(found, expected)


def test_people_whose_labels_the_autoencoder_learned_are_not_judged():
    index = cohort()
    mean = noise(index)
    plain = evaluate_task(mean, index, GROUPS, SETTINGS, seed=0)
    taught = evaluate_task(mean, index, GROUPS, SETTINGS, seed=0, taught=["Diagnosis"])
    assert set(taught.metrics["autoencoder_split"]) == {"all", "test"}
    assert set(taught.predictions["split"]) == {"test"}
    held = plain.predictions[plain.predictions["split"] == "test"].reset_index(drop=True)
    pd.testing.assert_frame_equal(taught.predictions, held)
    assert value(taught, "accuracy") == value(plain, "accuracy", "test")
    assert taught.metrics["note"].str.contains("the autoencoder learned their labels").all()
    other = evaluate_task(mean, index, GROUPS, SETTINGS, seed=0, taught=["sex"])
    pd.testing.assert_frame_equal(other.metrics, plain.metrics)
