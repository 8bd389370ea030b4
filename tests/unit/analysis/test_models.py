"""One table of all models: on the same people, by what the metrics of each stage say."""

import numpy as np
import pandas as pd
import pytest

from brainlapse.analysis import models
from brainlapse.analysis.settings import AnalysisSettings, TaskSettings
from brainlapse.analysis.tasks.evaluation import evaluate_task
from tests.unit.analysis.tasks.test_evaluation import AGES, GROUPS, cohort, noise


def scans(people=20, split="test"):
    names = [f"sub-{number:02d}" for number in range(people)]
    table = pd.DataFrame({"dataset": "demo", "subject": names})
    table = table.loc[table.index.repeat(2)].reset_index(drop=True)
    table["scan"] = table["subject"] + np.tile(["_ses-1", "_ses-2"], people)
    return table.assign(split=split)


def images(better=0.0, seed=0, **options):
    table = scans(**options)
    random = np.random.default_rng(seed)
    person = np.random.default_rng(99).normal(0, 0.1, len(table) // 2).repeat(2)
    ssim = 0.7 + person + random.normal(0, 0.005, len(table)) + better
    return table.assign(ssim=ssim, mae=0.2 - ssim / 10)


def only(parts, measure):
    table = pd.concat(parts)
    return table[table["measure"] == measure].set_index("model")


def test_the_better_images_are_marked_in_either_direction():
    tables = {"one": images(), "two": images(0.03, 1), "mean image": images(-0.2, 2)}
    parts = models.compare_images(tables, seed=0)
    for measure in ("ssim", "mae"):
        found = only(parts, measure)
        assert found["best"].tolist() == [False, True, False]
        assert found["split"].unique().tolist() == ["test"]
        assert found.loc["two", "than"] == "one"
    assert only(parts, "ssim").loc["one", "value"] == pytest.approx(tables["one"]["ssim"].mean())


def test_a_tie_is_not_marked_and_scans_that_one_lacks_count_for_nobody():
    two = images(seed=1)
    found = only(models.compare_images({"one": images(), "two": two[10:]}, 0), "ssim")
    assert not found["best"].any()
    assert found["n_subjects"].tolist() == [15, 15]


def test_people_who_are_not_held_out_mark_nobody():
    tables = {"one": images(split="validation"), "two": images(0.1, 1, split="validation")}
    found = only(models.compare_images(tables, 0), "ssim")
    assert not found["best"].any()
    assert found["note"].str.contains("people of split validation are not held out").all()


def test_test_people_stand_before_others():
    both = pd.concat([images(), images(0.2, split="train").assign(dataset="other")])
    found = only(models.compare_images({"one": both}, 0), "ssim")
    assert found["n_subjects"].tolist() == [20]


def test_volumes_are_judged_region_by_region():
    def errors(size, seed):
        table = scans().merge(pd.DataFrame({"region": ["ventricles", "hippocampus"]}), how="cross")
        noisy = size + np.random.default_rng(seed).uniform(0, 1, len(table))
        return table.assign(abs_error_pct=noisy)

    parts = models.compare_volumes({"one": errors(3, 0), "two": errors(5, 1)}, 0)
    for region in ("ventricles", "hippocampus"):
        assert only(parts, region)["best"].tolist() == [True, False]


def forecasts(bayes, linear, seed=0):
    """Errors of two methods of a model [validation, test], and of what needs no network."""
    random = np.random.default_rng(seed)
    parts = []
    alone = {"copy_last": (9, 9), "volume_bayes": (4, 4), "reconstruction": (0, 0)}
    for method, sizes in {"bayes_anchored": bayes, "linear": linear, **alone}.items():
        for split, size in zip(("validation", "test"), sizes, strict=True):
            table = scans(split=split).assign(method=method, n_scans_seen=1, n_scans_so_far=1)
            table["abs_error_pct"] = size + random.uniform(0, 0.5, len(table))
            parts.append(table)
    return pd.concat(parts, ignore_index=True).assign(region="ventricles")


def test_a_forecast_is_chosen_on_validation_people_and_shown_on_test_people():
    """The method that is best on test people is not what validation people chose."""
    tables = {"one": forecasts((2, 3), (5, 1)), "two": forecasts((6, 1), (5, 6), seed=1)}
    found = only(models.compare_forecasts(tables, 0), "ventricles_1_seen")
    assert found["value"].round().tolist() == [3, 6, 9, 4]
    assert found.index.tolist() == ["one", "two", "copy_last", "volume_bayes"]
    assert found["best"].tolist() == [True, False, False, False]
    assert found.loc["one", "note"] == "bayes_anchored, chosen on 20 validation people"
    assert found.loc["two", "note"] == "linear, chosen on 20 validation people"


def test_without_validation_people_a_named_method_stands():
    table = forecasts((2, 3), (5, 1))
    table = table[table["split"] == "test"]
    found = only(models.compare_forecasts({"one": table}, 0), "ventricles_1_seen")
    assert found.loc["one", "value"].round() == 3
    assert "0 validation people are too few to choose" in found.loc["one", "note"]


@pytest.mark.parametrize(("task", "metric"), [(AGES, "mae"), (GROUPS, "roc_auc")])
def test_a_task_has_the_value_of_its_own_table_and_the_better_model_is_marked(task, metric):
    index = cohort(subjects=80, sessions=1)
    index["split"] = np.where(np.arange(80) % 8 > 4, "test", "train")  # of either diagnosis
    effect = {
        "age_years": (index["age_years"] - 60) / 10,
        "diagnosis": index["diagnosis"].eq("patient"),
    }
    knows = noise(index)
    knows += 3 * effect[task.target].to_numpy(dtype=np.float32)[:, None, None, None, None]
    settings = AnalysisSettings(bootstrap_samples=0, inner_folds=2, tune=False)
    results = {
        name: evaluate_task(latents, index, task, settings, seed=0)
        for name, latents in {"knows": knows, "guesses": noise(index, seed=5)}.items()
    }
    tables = {name: result.predictions for name, result in results.items()}
    found = models.compare_task(task, tables, 0).set_index("model")
    assert found["best"].tolist() == [True, False]
    assert found["measure"].unique().tolist() == [f"{task.name} {metric}"]
    for name, result in results.items():
        own = result.metrics
        row = own[(own["metric"] == metric) & (own["autoencoder_split"] == "test")].iloc[0]
        assert found.loc[name, "value"] == pytest.approx(row["value"])
        assert found.loc[name, "n_subjects"] == row["n_subjects"]


def test_held_out_people_of_one_class_give_no_value():
    table = scans(people=12).assign(true=list("ab") * 12, score=0.3, predicted="a")
    table.loc[table["true"] == "a", "split"] = "train"
    task = TaskSettings(name="two", target="x", kind="classification")
    found = models.compare_task(task, {"one": table, "two": table}, 0)
    assert found["measure"].unique().tolist() == ["two roc_auc"]
    assert found["value"].isna().all()
    assert not found["best"].any()


def test_more_classes_are_judged_by_their_balanced_accuracy():
    table = scans(people=12).assign(true=list("abc") * 8)
    right = table.assign(predicted=table["true"], score=1.0)
    wrong = table.assign(predicted="a", score=0.4)
    task = TaskSettings(name="three", target="x", kind="classification")
    found = models.compare_task(task, {"right": right, "wrong": wrong}, 0).set_index("model")
    assert found["value"].round(3).tolist() == [1.0, 0.333]
    assert found["measure"].unique().tolist() == ["three balanced_accuracy"]


def test_nothing_to_compare_gives_nothing():
    empty = pd.DataFrame()
    assert models.compare_images({"one": empty}, 0) == []
    assert models.compare_forecasts({"one": empty}, 0) == []
    assert models.compare_task(AGES, {"one": empty}, 0) is None
    assert models.list_separations({"one": empty}).empty
