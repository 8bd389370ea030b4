"""Heads on people held out: planted effects found, nothing found in noise, people kept apart."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from brainlapse.analysis import paired
from brainlapse.analysis.heads.evaluation import HEAD_COLUMNS, evaluate_heads, trained_heads
from brainlapse.analysis.heads.labels import training_labels, training_scans
from brainlapse.analysis.settings import AnalysisSettings, TaskSettings
from brainlapse.analysis.tasks.folds import TaskImpossible
from brainlapse.training.heads.pooling import pool_latents
from tests.unit.training.heads.drawn import TASKS, Cohort, run, with_heads

SETTINGS = AnalysisSettings(inner_folds=3)
SEX, AGE = TASKS


@pytest.fixture(autouse=True)
def few_drawings(monkeypatch):
    monkeypatch.setattr(paired, "RESAMPLES", 200)


def people(count=90, seed=0):
    random = np.random.default_rng(seed)
    names = [f"sub-{n:03d}" for n in range(count)]
    index = pd.DataFrame(
        {
            "dataset": "made", "subject": names, "session": None, "scan": names,
            "split": np.resize(["train", "train", "test", "validation"], count),
            "sex": random.permutation(np.where(np.arange(count) % 2, "F", "M")),
            "age_years": random.uniform(20, 80, count), "flagged": False,
        }
    )  # fmt: skip
    mean = random.normal(size=(count, 3, 4, 4, 4)).astype(np.float32)
    mean[:, 0, 0, 0, 0] += 3 * (index["sex"] == "M")
    mean[:, 1, 2, 2, 2] += (index["age_years"] - 50) / 5
    return mean, index


def card_of(outputs, features, classes=("F", "M")):
    weights = {
        "heads.centre": np.zeros(features), "heads.scale": np.ones(()),
        "heads.layers.task-sex.weight": np.zeros((outputs, features)),
        "heads.layers.task-sex.bias": np.zeros(outputs),
    }  # fmt: skip
    head = {"task": "sex", "kind": "classification", "classes": list(classes)}
    return trained_heads({"heads": [head]}, weights)


def row(table, head, metric, split="test", task="sex"):
    chosen = table[(table["head"] == head) & (table["metric"] == metric)]
    return chosen[(chosen["autoencoder_split"] == split) & (chosen["task"] == task)].squeeze()


def test_frozen_heads_find_what_is_planted_beside_their_baseline():
    mean, index = people()
    table = evaluate_heads(mean, index, TASKS, {}, SETTINGS, 0)
    assert list(table) == HEAD_COLUMNS
    assert set(table["head"]) == {"frozen"}
    assert set(table["autoencoder_split"]) == {"test", "validation"}
    area = row(table, "frozen", "roc_auc")
    assert area["ci_low"] > 0.5
    assert area["baseline"] == 0.5
    assert area["ci_low"] < area["value"] < area["ci_high"]
    error = row(table, "frozen", "mae", task="age")
    ages = index["age_years"]
    test, train = index["split"] == "test", index["split"] == "train"
    assert error["baseline"] == pytest.approx((ages[test] - ages[train].mean()).abs().mean())
    assert error["value"] < 0.8 * error["baseline"]
    assert area["n_subjects"] == test.sum()


def test_the_same_seed_gives_the_same_numbers():
    mean, index = people()
    first, second = (evaluate_heads(mean, index, TASKS, {}, SETTINGS, 0) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_a_trained_head_answers_as_its_weights_say():
    mean, index = people()
    trained = card_of(2, 192)
    element = 0  # of the features: the planted one
    trained["sex"]["weight"][1, element] = 5.0
    trained["sex"]["bias"][1] = -7.5
    table = evaluate_heads(mean, index, [SEX], trained, SETTINGS, 0)
    test = (index["split"] == "test").to_numpy()
    said = np.where(mean[test][:, 0, 0, 0, 0] > 1.5, "M", "F")
    true = index["sex"][test]
    shares = [np.mean(said[true == name] == name) for name in "FM"]
    mine, other = (
        row(table, "joint", "balanced_accuracy"),
        row(table, "frozen", "balanced_accuracy"),
    )
    assert mine["value"] == pytest.approx(np.mean(shares))
    assert mine["than"] == "frozen"
    assert mine["gap"] == pytest.approx(mine["value"] - other["value"])
    assert other["gap"] == pytest.approx(-mine["gap"])


def test_the_frozen_head_is_that_of_scikit_learn_on_training_people_only():
    mean, index = people()
    plain = AnalysisSettings(tune=False)
    table = evaluate_heads(mean, index, [SEX], {}, plain, 0)
    train, test = ((index["split"] == name).to_numpy() for name in ("train", "test"))
    features = pool_latents(mean).astype(float)
    features -= features[train].mean(axis=0)
    features /= np.sqrt(features[train].var(axis=0).mean())
    model = LogisticRegression(class_weight="balanced", max_iter=5000)
    model.fit(features[train], index["sex"][train])
    said, true = model.predict(features[test]), index["sex"][test]
    expected = np.mean([np.mean(said[true == name] == name) for name in "FM"])
    assert row(table, "frozen", "balanced_accuracy")["value"] == pytest.approx(expected)


def test_labels_of_people_held_out_change_no_prediction():
    """Only what is compared with changes: a mirrored truth mirrors the area."""
    mean, index = people()
    mirrored = index.copy()
    test = index["split"] == "test"
    mirrored.loc[test, "sex"] = index["sex"][test].map({"F": "M", "M": "F"})
    first, second = (evaluate_heads(mean, i, [SEX], {}, SETTINGS, 0) for i in (index, mirrored))
    one, other = row(first, "frozen", "roc_auc"), row(second, "frozen", "roc_auc")
    assert one["value"] == pytest.approx(1 - other["value"])
    assert one["chosen"] == other["chosen"]


def test_somebody_of_the_training_people_under_another_name_is_not_judged():
    mean, index = people()
    twin, origin = index.index[index["split"] == "test"][0], 0
    mean[twin] = mean[origin] + 1e-4
    table = evaluate_heads(mean, index, [SEX], {}, SETTINGS, 0)
    found = row(table, "frozen", "roc_auc")
    assert found["n_subjects"] == (index["split"] == "test").sum() - 1
    assert "nearly the same latents" in found["note"]


def test_classes_that_only_others_have_are_left_out():
    mean, index = people()
    first = index.index[index["split"] == "test"][:3]
    index.loc[first, "sex"] = "X"
    table = evaluate_heads(mean, index, [SEX], {}, SETTINGS, 0)
    assert row(table, "frozen", "roc_auc")["n_scans"] == (index["split"] == "test").sum() - 3


def test_a_head_that_knows_other_classes_is_left_out_with_a_note():
    mean, index = people()
    table = evaluate_heads(mean, index, [SEX], card_of(2, 192, ("a", "b")), SETTINGS, 0)
    assert set(table["head"]) == {"frozen"}
    assert table["note"].str.contains("joint left out: that head knows a, b").all()


def test_few_people_give_no_interval_and_impossible_tasks_a_reason():
    mean, index = people(12)
    other = TaskSettings(name="other", target="nothing", kind="classification")
    table = evaluate_heads(mean, index, [other, SEX], {}, SETTINGS, 0)
    assert table["note"][0] == "the cohort has no column 'nothing'"
    assert row(table, "frozen", "roc_auc")["note"] == "no interval: fewer than 6 people"
    assert table["ci_low"].isna().all()
    alone = index.assign(split="train")
    assert "nobody of validation" in evaluate_heads(mean, alone, [SEX], {}, SETTINGS, 0)["note"][0]


def test_labels_are_those_of_training_people_that_the_task_asks_for():
    _, index = people(24)
    index.loc[0, "flagged"] = True
    index.loc[1, "sex"] = None
    index.loc[4, "dataset"] = "clinic"
    task = SEX.model_copy(update={"train_datasets": ["made"]})
    table, reasons = training_labels(index, [task, AGE])
    train = set(index["scan"][index["split"] == "train"])
    assert set(table["scan"]) <= train
    sexes = table[table["task"] == "sex"]
    assert set(sexes["scan"]) == train - {index["scan"][n] for n in (0, 1, 4)}
    assert (sexes["coded"] == (sexes["label"] == "M")).all()
    assert reasons == {}
    _, reasons = training_labels(index.assign(sex="F"), [SEX, AGE])
    assert reasons == {"sex": "'sex' has fewer than two classes: F"}


def test_a_class_without_training_people_is_none():
    _, index = people(24)
    task = SEX.model_copy(update={"classes": ["F", "M", "X"], "positive": "F"})
    assert training_scans(index, task).classes == ["M", "F"]
    with pytest.raises(TaskImpossible, match="fewer than two"):
        training_scans(index, SEX.model_copy(update={"classes": ["F", "X"]}))


def judged(cohort, index, folder, family, steps):
    settings = with_heads(family, weight=0.03, steps=steps, validate_every=5)
    state = run(settings, cohort.data, cohort.labels(index), folder)
    weights = {name: tensor.numpy() for name, tensor in state.best.weights.items()}
    trained = trained_heads({"heads": state.model.heads.describe()}, weights)
    mean = cohort.encode(settings, state.best.weights)
    return evaluate_heads(mean, index, TASKS, trained, AnalysisSettings(), 0)


@pytest.mark.slow
@pytest.mark.parametrize(("family", "steps"), [("s2d", 150), ("vector", 300)])
def test_joint_training_finds_what_is_planted_and_nothing_in_shuffled_labels(
    tmp_path, family, steps
):
    cohort = Cohort()
    table = judged(cohort, cohort.index, tmp_path / "true", family, steps)
    assert row(table, "joint", "roc_auc")["value"] > 0.9
    age = row(table, "joint", "mae", task="age")
    assert age["ci_high"] < age["baseline"]
    shuffled = cohort.index.copy()
    order = np.random.default_rng(5).permutation(len(shuffled))
    for name in ("sex", "age_years"):
        shuffled[name] = cohort.index[name].to_numpy()[order]
    table = judged(cohort, shuffled, tmp_path / "shuffled", family, steps)
    area = row(table, "joint", "roc_auc")
    assert area["ci_low"] < 0.5 < area["ci_high"]
    correlation = row(table, "joint", "pearson_r", task="age")
    assert correlation["ci_low"] < 0 < correlation["ci_high"]
