import numpy as np
import pandas as pd
import pytest

from brainlapse.aging.linearity import (
    CURVE_COLUMNS,
    LINEARITY_COLUMNS,
    SUMMARY_COLUMNS,
    hold_against_line,
    interpolated_volumes,
    measure_linearity,
    summarise_linearity,
)
from brainlapse.aging.settings import AgingSettings

ALPHA = np.array([-0.25, 0.0, 0.25, 0.5, 0.75, 1.0, 1.25])
LINE = 1000 + 100 * ALPHA  # 1100 first, 1000 last


@pytest.mark.parametrize("bias_mm3", [0, -50])
def test_volumes_on_the_line_are_linear_whatever_the_bias(bias_mm3):
    numbers = hold_against_line(ALPHA, LINE + bias_mm3, LINE)
    assert numbers == pytest.approx(
        {
            "r2": 1,
            "slope_ratio": 1,
            "bias_pct": 100 * bias_mm3 / 1050,
            "straight_r2": 1,
            "max_deviation_pct": 0,
            "real_change_pct": 100 * (1000 - 1100) / 1100,
        }
    )


@pytest.mark.parametrize(("share", "r2"), [(0.5, 0.75), (0.1, 0.19), (-1, -3)])
def test_a_decoder_that_shrinks_all_change_is_straight_and_yet_not_linear(share, r2):
    numbers = hold_against_line(ALPHA, 1050 + share * (LINE - 1050), LINE)
    assert numbers["straight_r2"] == pytest.approx(1)
    assert numbers["slope_ratio"] == pytest.approx(share)
    assert numbers["r2"] == pytest.approx(r2)  # 1 - (1 - share)**2


def test_a_bend_is_measured_from_the_line_between_the_ends():
    alpha = np.linspace(0, 1, 5)
    volume_mm3 = np.array([90.0, 95.0, 102.0, 105.0, 110.0])
    numbers = hold_against_line(alpha, volume_mm3, 90 + 20 * alpha)
    assert numbers["max_deviation_pct"] == pytest.approx(2)
    assert 0.95 < numbers["r2"] < 1


def test_no_real_change_tells_nothing():
    numbers = hold_against_line(ALPHA, LINE, np.full(7, 7.0))
    assert np.isnan(numbers["r2"])
    assert np.isnan(numbers["slope_ratio"])
    assert numbers["real_change_pct"] == pytest.approx(0)


@pytest.fixture
def tables():
    """Two people whose ventricles change by 10 % (a line, and a shrunk one) and brain by 1 %."""
    real = {"ventricles": (110.0, 100.0), "brain": (1010.0, 1000.0)}
    plan, rows = [], []
    for subject, share in (("sub-1", 1.0), ("sub-2", 0.3)):
        plan += [
            {"dataset": "d", "subject": subject, "method": "latents", "alpha": alpha,
             "scan_first": f"{subject}_a", "scan_last": f"{subject}_b"}
            for alpha in ALPHA
        ]  # fmt: skip
        for region, (first, last) in real.items():
            ends = (("a", first), ("b", last))
            rows += [
                {"kind": "real", "dataset": "d", "subject": subject, "scan": f"{subject}_{scan}",
                 "model": None, "region": region, "volume_mm3": volume}
                for scan, volume in ends
            ]  # fmt: skip
            rows += [
                {"kind": "interpolated", "dataset": "d", "subject": subject, "model": model,
                 "method": "latents", "alpha": alpha, "region": region,
                 "volume_mm3": last + share * alpha * (first - last)}
                for alpha in ALPHA[::-1]
                for model in "mn"
            ]  # fmt: skip
    return pd.DataFrame(rows), pd.DataFrame(plan)


def test_curves_stand_beside_the_line_between_the_real_volumes(tables):
    curves = interpolated_volumes(*tables, "m")
    assert list(curves) == CURVE_COLUMNS
    assert len(curves) == 2 * 2 * len(ALPHA)
    one = curves[(curves["subject"] == "sub-1") & (curves["region"] == "ventricles")]
    assert one["line_mm3"].to_numpy() == pytest.approx(100 + 10 * ALPHA)
    assert one["volume_mm3"].to_numpy() == pytest.approx(one["line_mm3"].to_numpy())
    assert interpolated_volumes(*tables, "other").empty
    assert list(interpolated_volumes(pd.DataFrame(), pd.DataFrame(), "m")) == CURVE_COLUMNS


def test_who_is_not_linear_is_counted_among_those_who_change(tables):
    table = measure_linearity(interpolated_volumes(*tables, "m"), AgingSettings())
    assert list(table) == LINEARITY_COLUMNS
    is_linear = table.set_index(["subject", "region"])["is_linear"]
    assert is_linear["sub-2", "ventricles"] == 0
    assert np.isnan(is_linear["sub-1", "brain"])
    summary = summarise_linearity(table)
    assert list(summary) == SUMMARY_COLUMNS
    row = summary.set_index("region").loc["ventricles"]
    assert row[["n", "n_changing", "n_not_linear", "not_linear_share"]].tolist() == [2, 2, 1, 0.5]
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((0.0945, 0.9055), abs=1e-3)  # Wilson
    assert summary.set_index("region").loc["brain", "n_changing"] == 0
    assert list(summarise_linearity(table.iloc[:0])) == SUMMARY_COLUMNS


def test_the_decoder_that_doubles_all_volumes_shows_double_the_change(tables):
    curves = interpolated_volumes(*tables, "m")
    curves["volume_mm3"] *= 2
    table = measure_linearity(curves, AgingSettings())
    row = table.set_index(["subject", "region"]).loc[("sub-1", "ventricles")]
    assert row["slope_ratio"] == pytest.approx(2)
    assert row["r2"] == pytest.approx(0)
    assert row["is_linear"] == 0
