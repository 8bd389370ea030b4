import numpy as np
import pandas as pd
import pytest

from brainlapse.aging.errors import score_forecasts, summarise_errors
from brainlapse.aging.evaluation.bootstrap import over_subjects
from brainlapse.aging.evaluation.matched import MATCHED_COLUMNS, match_errors
from brainlapse.aging.plan import plan_forecasts, sees_all
from brainlapse.aging.settings import AgingSettings

GROWTH_PCT = 3.0  # a year, of the first volume; the same for everybody


@pytest.fixture(scope="module")
def errors():
    """Errors of people seen every year, who all grow alike: only the way to the target differs."""
    rows = [
        {
            "dataset": "demo",
            "subject": f"sub-{person}",
            "session": f"ses-{visit}",
            "scan": f"sub-{person}_ses-{visit}",
            "split": "test" if person > 5 else "train",
            "age_years": 60.0 + person + visit,
            "volume_mm3": 1000.0 * (1 + GROWTH_PCT / 100 * visit),
        }
        for person in range(12)
        for visit in range(4)
    ]
    index = pd.DataFrame(rows)
    columns = ["dataset", "subject", "session", "scan", "volume_mm3"]
    volumes = index[columns].assign(
        kind="real", model=None, region="ventricles", intracranial_share=0.01
    )
    volumes = volumes.assign(method=None, n_scans_seen=np.nan, n_scans_so_far=np.nan)
    settings = AgingSettings(scans_seen=[1, 2, 3], methods=["population_rate"])
    return score_forecasts(plan_forecasts(index, settings), volumes, index, "m")


def test_the_copy_gains_by_a_shorter_way_only(errors):
    """The summary falls with the number of scans seen; matched, the copy is flat."""
    summary = summarise_errors(sees_all(errors)).set_index(["method", "n_scans_seen"])
    pooled = summary.loc["copy_last", "mean_abs_error_pct"]
    assert pooled[1] > 1.4 * pooled[3]
    matched = match_errors(errors)
    assert list(matched) == MATCHED_COLUMNS
    copy = matched[matched["method"] == "copy_last"]
    assert sorted(copy["n_scans_so_far"].unique()) == [2, 3]
    assert copy["gain_pct"].abs().max() < 1e-9
    for _, rows in copy.groupby("n_scans_so_far"):
        assert np.ptp(rows["mean_abs_error_pct"]) < 1e-9


def test_methods_and_numbers_share_targets_and_last_scan(errors):
    third = errors[(errors["n_scans_so_far"] == 3) & (errors["method"] == "copy_last")]
    targets = [set(rows["scan"]) for _, rows in third.groupby("n_scans_seen")]
    assert len(targets) == 3
    assert targets[0] == targets[1] == targets[2]
    assert set(third["horizon_years"]) == {1.0}


def test_subjects_weigh_the_same_however_many_scans():
    rows = pd.DataFrame(
        {"dataset": "d", "subject": ["a"] * 9 + ["b", "c"], "x": [0.0] * 9 + [3, 6]}
    )
    found = over_subjects(rows, "x")
    assert found.mean == pytest.approx(3)
    assert [found.low, found.high] == [0, 6]
    assert np.isnan(over_subjects(rows[rows["subject"] != "c"], "x").low)


def test_the_bootstrap_interval_is_that_of_the_normal_theory():
    values = np.random.default_rng(0).normal(5, 2, 400)
    rows = pd.DataFrame({"dataset": "d", "subject": np.arange(400).astype(str), "x": values})
    found = over_subjects(rows, "x")
    half = 1.96 * values.std() / 20
    assert found.low == pytest.approx(values.mean() - half, abs=0.03)
    assert found.high == pytest.approx(values.mean() + half, abs=0.03)


def test_nothing_to_match_gives_an_empty_table(errors):
    once = errors[errors["n_scans_so_far"] == 1]
    assert list(match_errors(once)) == MATCHED_COLUMNS
    assert match_errors(once).empty
    assert match_errors(errors.iloc[:0]).empty
