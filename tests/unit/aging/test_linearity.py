import numpy as np
import pandas as pd
import pytest

from brainlapse.aging.linearity import LINEARITY_COLUMNS, measure_linearity, straightness

ALPHA = np.array([0.0, 0.25, 0.5, 0.75, 1.0])


def test_a_straight_line_is_straight():
    numbers = straightness(ALPHA, 1000 + 50 * ALPHA)
    assert numbers == pytest.approx({"r2": 1, "slope_mm3": 50, "max_deviation_pct": 0})


def test_a_bend_is_measured_from_the_line_between_the_ends():
    volume_mm3 = np.array([90.0, 95.0, 102.0, 105.0, 110.0])
    assert straightness(ALPHA, volume_mm3)["max_deviation_pct"] == pytest.approx(2)
    assert np.isnan(straightness(ALPHA, np.full(5, 7.0))["r2"])


def test_only_interpolated_scans_of_the_model_count():
    rows = [
        {
            "dataset": "demo",
            "subject": "sub-1",
            "kind": kind,
            "model": model,
            "alpha": alpha,
            "region": region,
            "volume_mm3": np.nan if region == "hippocampus" else factor * (10 + alpha),
        }
        for kind, model, factor in (("interpolated", "a", 1), ("interpolated", "b", 5))
        for region in ("ventricles", "hippocampus")
        for alpha in ALPHA[::-1]
    ]
    table = measure_linearity(pd.DataFrame(rows), "a")
    assert list(table) == LINEARITY_COLUMNS
    assert table["region"].tolist() == ["ventricles"]
    assert table["slope_mm3"].item() == pytest.approx(1)
    assert measure_linearity(pd.DataFrame(rows), "c").empty
    assert list(measure_linearity(pd.DataFrame(), "a")) == LINEARITY_COLUMNS
