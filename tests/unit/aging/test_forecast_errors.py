import numpy as np
import pandas as pd
import pytest

from brainlapse.aging.errors import (
    ERROR_COLUMNS,
    SUMMARY_COLUMNS,
    score_forecasts,
    summarise_errors,
)
from brainlapse.aging.plan import FORECAST_COLUMNS, plan_forecasts
from brainlapse.aging.settings import AgingSettings

REAL = {"ses-1": 100.0, "ses-2": 110.0, "ses-3": 125.0}
RECONSTRUCTED = {"ses-1": 80.0, "ses-2": 88.0, "ses-3": 100.0}
PREDICTED = 96.0
HEAD = 5000.0


@pytest.fixture
def index():
    rows = [
        {
            "dataset": "demo",
            "subject": subject,
            "session": session,
            "scan": f"{subject}_{session}",
            "split": split,
            "age_years": age,
        }
        for subject, split in (("sub-1", "test"), ("sub-2", "train"))
        for session, age in zip(REAL, (60.0, 61.0, 63.0), strict=True)
    ]
    return pd.DataFrame(rows)


@pytest.fixture
def predictions(index):
    return plan_forecasts(index, AgingSettings(scans_seen=[2]))


def volume(kind, session, mm3, **other):
    row = {
        "dataset": "demo",
        "subject": "sub-1",
        "session": session,
        "scan": f"sub-1_{session}",
        "model": np.nan if kind == "real" else "a",
        "kind": kind,
        "region": "ventricles",
        "volume_mm3": mm3,
        "intracranial_share": mm3 / HEAD if kind == "real" else np.nan,
    }
    return row | other


@pytest.fixture
def volumes():
    rows = [volume("real", session, mm3) for session, mm3 in REAL.items()]
    rows += [volume("reconstructed", session, mm3) for session, mm3 in RECONSTRUCTED.items()]
    rows += [
        volume(
            *("predicted", "ses-3", PREDICTED),
            **{"method": method, "n_scans_seen": 2.0, "n_scans_so_far": 2.0},
        )
        for method in ("linear", "population_rate")
    ]
    rows += [row | {"model": "b", "volume_mm3": 1.0} for row in rows[3:]]
    rows += [row | {"region": "hippocampus", "volume_mm3": np.nan} for row in rows]
    return pd.DataFrame(rows)


def test_errors_by_hand(predictions, volumes, index):
    errors = score_forecasts(predictions, volumes, index, "a")
    assert list(errors) == ERROR_COLUMNS
    assert set(errors["region"]) == {"ventricles"}  # n/a regions give no row
    assert (errors["observed_mm3"] == 125).all()
    assert (errors["reconstructed_mm3"] == 100).all()
    assert (errors["last_observed_mm3"] == 110).all()
    np.testing.assert_allclose(errors["observed_change_pct"], 100 * 15 / 110)
    predicted = errors.set_index("method")["predicted_mm3"]
    expected = {
        "copy_last": 110,
        "reconstruction": 100,
        "volume_linear": 130,  # 100, 110 at 60, 61 years; 63 years asked for
        "linear": 96,
        "linear_anchored": 110 * 96 / 88,
        "population_rate": 96,
        "population_rate_anchored": 110 * 96 / 88,
    }
    assert predicted.to_dict() == pytest.approx(expected)
    by_method = errors.set_index("method")
    assert (errors["head_mm3"] == HEAD).all()
    summary = summarise_errors(errors).set_index("method")
    assert summary.loc["copy_last", "error_of_change_pct"] == pytest.approx(100)
    assert summary.loc["volume_linear", "mean_abs_error_head_pct"] == pytest.approx(0.1)
    assert by_method.loc["volume_linear", "abs_error_pct"] == pytest.approx(100 * 5 / 125)
    assert by_method.loc["linear", "predicted_change_pct"] == pytest.approx(100 * -14 / 110)


def test_one_scan_seen_has_no_volume_line(index, volumes):
    settings = AgingSettings(scans_seen=[1], methods=["population_rate"])
    predictions = plan_forecasts(index, settings)
    errors = score_forecasts(predictions, volumes, index, "a")
    assert set(errors["method"]) == {"copy_last", "reconstruction"}
    assert set(errors["scan"]) == {"sub-1_ses-2", "sub-1_ses-3"}
    assert (errors["last_observed_mm3"] == 100).all()


def test_a_change_in_the_target_moves_no_forecast(predictions, volumes, index):
    before = score_forecasts(predictions, volumes, index, "a").set_index("method")
    target = (volumes["kind"] == "real") & (volumes["session"] == "ses-3")
    changed = volumes.assign(volume_mm3=volumes["volume_mm3"].where(~target, 500.0))
    after = score_forecasts(predictions, changed, index, "a")
    after = after[after["region"] == "ventricles"].set_index("method")
    pd.testing.assert_series_equal(before["predicted_mm3"], after["predicted_mm3"])
    assert (before["abs_error_pct"] != after["abs_error_pct"]).all()


def test_summary_by_hand():
    rows = [
        {
            "dataset": "demo",
            "subject": f"sub-{number}",
            "split": "test",
            "method": "linear",
            "n_scans_seen": 2,
            "region": "ventricles",
            "abs_error_pct": error,
            "predicted_change_pct": change,
            "observed_change_pct": 2 * change,
            "observed_mm3": 2e4 * np.exp(0.2 * number),
            "predicted_mm3": 2e4 * np.exp(0.05 * number),  # a quarter of what people differ
            "last_observed_mm3": 2e4 * np.exp(0.2 * number) - 1000.0,
            "head_mm3": 1e6,
        }
        for number, (error, change) in enumerate([(1.0, 1.0), (2.0, 2.0), (6.0, 3.0)])
    ]
    summary = summarise_errors(pd.DataFrame(rows))
    assert list(summary) == SUMMARY_COLUMNS
    assert summary.iloc[0, :3].tolist() == ["linear", 2, "ventricles"]
    error_mm3 = 2e4 * np.mean(np.exp(0.2 * np.arange(3)) - np.exp(0.05 * np.arange(3)))
    expected = [3, 3, 2.0, 3.0, error_mm3 / 1e4, error_mm3 / 10, 2.0, 1.0, 0.5, 2.0, 0.25]
    assert summary.iloc[0, 3:].tolist() == pytest.approx(expected)
    judges = pd.DataFrame(rows).assign(split="validation", abs_error_pct=99.0)
    pd.testing.assert_frame_equal(
        summary, summarise_errors(pd.concat([pd.DataFrame(rows), judges]))
    )


def test_nobody_to_score_gives_empty_tables(volumes, index):
    errors = score_forecasts(pd.DataFrame(columns=FORECAST_COLUMNS), volumes, index, "a")
    assert list(errors) == ERROR_COLUMNS
    assert errors.empty
    assert list(summarise_errors(errors)) == SUMMARY_COLUMNS
