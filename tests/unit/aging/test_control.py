"""Ages shuffled: what comes from ageing is gained no more, and only training people's move."""

import numpy as np
import pandas as pd
import pytest

from brainlapse.aging.errors import score_forecasts
from brainlapse.aging.evaluation import control as module
from brainlapse.aging.evaluation.control import (
    CONTROL_COLUMNS,
    control_latents,
    control_volumes,
    shuffle_ages,
    summarise_control,
)
from brainlapse.aging.plan import plan_forecasts
from brainlapse.aging.settings import AgingSettings
from brainlapse.cohort.tables import PERSON, SCAN
from tests.unit.aging.planted import plant

SHAPE = (2, 2, 2, 3)
SHUFFLES = 6
SETTINGS = AgingSettings(scans_seen=[1, 2], methods=["population_rate", "bayes"])


@pytest.fixture(autouse=True)
def few_shuffles(monkeypatch):
    monkeypatch.setattr(module, "SHUFFLES", SHUFFLES)


def run(rate):
    """22 people, 8 of them test, whose latents and ventricles change by `rate` per year."""
    loadings = np.full((1, int(np.prod(SHAPE))), 0.05)
    rows, volumes, latents = [], [], []
    people = plant(22, 3, loadings, seed=3, rate=rate)
    for number, person in enumerate(people):
        for visit, (age, values) in enumerate(zip(person.ages_years, person.values, strict=True)):
            scan = {
                "dataset": "made", "subject": f"sub-{number}", "session": f"ses-{visit}",
                "scan": f"sub-{number}_ses-{visit}",
            }  # fmt: skip
            split = "test" if number < 8 else "train"
            rows.append({**scan, "split": split, "age_years": age, "flagged": False})
            latents.append(values.reshape(SHAPE))
            volumes.append(
                {**scan, "kind": "real", "model": None, "region": "ventricles",
                 "volume_mm3": 2e4 * np.exp(0.05 * values.mean()), "backend": "embedded",
                 "intracranial_share": 0.1}
            )  # fmt: skip
    return np.array(latents, dtype=np.float32), pd.DataFrame(rows), pd.DataFrame(volumes)


def control(latents, index, volumes):
    plan = plan_forecasts(index, SETTINGS)
    volumes = volumes.assign(**dict.fromkeys(["n_scans_seen", "n_scans_so_far", "method"]))
    errors = score_forecasts(plan, volumes, index, "s2d")
    real = volumes.set_index([*SCAN, "region"])["volume_mm3"]
    tables = [
        control_latents(plan, latents, index, SETTINGS),
        control_volumes(errors, plan, real, index),
    ]
    return summarise_control(pd.concat(tables)).set_index(["measure", "method"])


def test_what_ageing_gains_is_lost_with_shuffled_ages():
    table = control(*run(rate=0.5))
    assert list(table.reset_index()) == CONTROL_COLUMNS
    assert set(table.index) == {
        ("latents", "population_rate"), ("latents", "bayes"),
        ("ventricles", "volume_rate"), ("ventricles", "volume_bayes"),
    }  # fmt: skip
    assert (table["gain_low"] > 0).all()
    assert (table["p_value"] == 1 / (1 + SHUFFLES)).all()
    rates = table.loc[[("latents", "population_rate"), ("ventricles", "volume_rate")]]
    assert (rates["shuffled_gain"] < 0.1 * rates["gain"]).all()
    assert (table["n_subjects"] == 8).all()
    assert (table["n"] == 16).all()  # two targets each, from the first scan alone


def test_where_nothing_ages_shuffled_ages_do_as_well():
    table = control(*run(rate=0.0))
    rates = table.loc[[("latents", "population_rate"), ("ventricles", "volume_rate")]]
    assert (rates["p_value"] > 1 / (1 + SHUFFLES)).all()


def test_only_ages_of_training_people_are_shuffled_each_among_their_own():
    _, index, _ = run(rate=0.5)
    index.loc[9 * 3, "age_years"] = np.nan  # an unknown age stays unknown, the others move
    index.loc[10 * 3, "flagged"] = True
    shuffled = shuffle_ages(index, np.random.default_rng(1))
    assert shuffled.drop(columns="age_years").equals(index.drop(columns="age_years"))
    held_out = index["split"] == "test"
    kept = held_out | index["age_years"].isna() | index["flagged"]
    np.testing.assert_array_equal(shuffled.loc[kept, "age_years"], index.loc[kept, "age_years"])
    assert (shuffled.loc[~kept, "age_years"] != index.loc[~kept, "age_years"]).mean() > 0.4
    for _, rows in index.groupby(PERSON):
        ages = shuffled.loc[rows.index, "age_years"]
        np.testing.assert_array_equal(np.sort(ages), np.sort(rows["age_years"]))


def test_summary_counts_the_shuffles_that_gain_as_much():
    rows = [
        {"measure": "m", "method": "x", "dataset": "d", "subject": f"sub-{person}", "scan": "s",
         "shuffle": shuffle, "copy_error": 5.0, "error": 5.0 - gain}
        for shuffle, gain in [(-1, 2.0), (0, 0.0), (1, 3.0), (2, 2.0), (3, -1.0)]
        for person in range(4)
    ]  # fmt: skip
    (found,) = summarise_control(pd.DataFrame(rows)).to_dict("records")
    assert found["gain"] == pytest.approx(2)
    assert found["shuffled_gain"] == pytest.approx(1)
    assert found["shuffled_most"] == pytest.approx(3)
    assert found["p_value"] == pytest.approx(3 / 5)


def test_nobody_to_forecast_gives_a_table_of_headers():
    latents, index, _ = run(rate=0.5)
    nobody = index.assign(split="train")
    plan = plan_forecasts(nobody, SETTINGS)
    empty = control_latents(plan, latents, nobody, SETTINGS)
    assert list(summarise_control(empty)) == CONTROL_COLUMNS
    assert len(summarise_control(empty)) == 0
