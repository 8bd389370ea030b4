import numpy as np
import pandas as pd
import pytest

from brainlapse.aging.evaluation.intervals import (
    COVERAGE_COLUMNS,
    LEVELS,
    add_intervals,
    conformal_quantile,
    measure_coverage,
)


def forecasts(validation, test, *, per_subject=1, spread=np.nan, error=0.1, seed=0):
    """Forecasts whose log error is Student's t with 4 degrees of freedom, times `error`."""
    generator = np.random.default_rng(seed)
    splits = ["validation"] * validation + ["test"] * test
    rows = [
        {
            "dataset": "demo",
            "subject": f"sub-{number}",
            "split": split,
            "method": "m",
            "n_scans_seen": 1,
            "region": "ventricles",
            "predicted_mm3": 1000.0,
            "observed_mm3": 1000.0 * np.exp(error * generator.standard_t(4)),
            "log_spread": spread,
            "low_80_mm3": 1000.0 * np.exp(-1.28 * spread),
            "high_80_mm3": 1000.0 * np.exp(1.28 * spread),
            "low_mm3": 1000.0 * np.exp(-1.96 * spread),
            "high_mm3": 1000.0 * np.exp(1.96 * spread),
        }
        for number, split in enumerate(splits)
        for _ in range(per_subject)
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize("spread", [np.nan, 0.02, 0.5])
def test_calibrated_intervals_cover_whatever_the_method_says(spread):
    table = add_intervals(forecasts(300, 1500, spread=spread, per_subject=2))
    assert set(table["interval"]) == {"calibrated"}
    found = measure_coverage(table)
    assert list(found) == COVERAGE_COLUMNS
    for row in found.itertuples():
        assert row.coverage == pytest.approx(row.level, abs=0.04)
        assert row.expected_low < row.level < row.expected_high
        assert row.n_subjects == 1500


def test_too_few_subjects_calibrate_nothing():
    silent = add_intervals(forecasts(3, 5))
    assert set(silent["interval"]) == {"n/a"}
    assert silent[list(LEVELS[0.8])].isna().all(axis=None)
    assert measure_coverage(silent).empty
    own = add_intervals(forecasts(3, 5, spread=0.1))
    assert set(own["interval"]) == {"own"}
    assert own["high_mm3"].iloc[0] == pytest.approx(1000 * np.exp(0.196))
    some = add_intervals(forecasts(10, 5, spread=0.1))
    assert set(some["interval"]) == {"calibrated/own"}  # 80 % asks for 4 subjects, 95 % for 19


def test_the_quantile_by_hand():
    people = np.arange(4)
    scores = np.array([4.0, 1.0, 3.0, 2.0])
    assert conformal_quantile(scores, people, 0.8) == 4  # the 4th of 4: ceil(0.8 * 5)
    assert conformal_quantile(scores, people, 0.5) == 3  # the 3rd: ceil(0.5 * 5)
    assert conformal_quantile(scores, people, 0.95) == np.inf
    assert conformal_quantile(scores[:0], people[:0], 0.8) == np.inf


def test_one_subject_of_many_visits_weighs_as_one():
    people = np.array([0] * 96 + [1, 2, 3, 4])
    scores = np.array([9.0] * 96 + [1.0, 2.0, 3.0, 4.0])
    assert conformal_quantile(scores, people, 0.5) == 3


def test_test_subjects_calibrate_nothing():
    table = forecasts(30, 10)
    changed = table.copy()
    changed.loc[changed["split"] == "test", "observed_mm3"] *= 50
    names = [name for pair in LEVELS.values() for name in pair]
    pd.testing.assert_frame_equal(add_intervals(table)[names], add_intervals(changed)[names])
