import numpy as np
import pandas as pd
import pytest

from brainlapse.aging.plan import (
    FORECAST_COLUMNS,
    INTERPOLATION_COLUMNS,
    compared_scans,
    interpolated_scans,
    plan_forecasts,
    plan_interpolations,
    sees_all,
)
from brainlapse.aging.settings import AgingSettings


def cohort(ages, split):
    """One subject's scans per entry of `ages`, named by order."""
    rows = [
        {
            "dataset": "demo",
            "subject": f"sub-{subject}",
            "session": f"ses-{session}",
            "scan": f"sub-{subject}_ses-{session}",
            "split": split[subject],
            "age_years": age,
            "flagged": False,
        }
        for subject, subject_ages in ages.items()
        for session, age in enumerate(subject_ages, start=1)
    ]
    return pd.DataFrame(rows)


@pytest.fixture
def scans():
    return cohort(
        {"a": [60, 61, 63], "b": [70, 71, 72], "c": [50, 52]},
        {"a": "train", "b": "test", "c": "apply"},
    )


def test_every_later_scan_is_a_target_of_every_allowed_method(scans):
    plan = plan_forecasts(scans, AgingSettings())
    assert list(plan) == FORECAST_COLUMNS
    found = plan[["scan", "method", "n_scans_seen", "seen_scans", "horizon_years"]]
    assert found.to_numpy().tolist() == [
        ["sub-b_ses-2", "population_rate", 1, "sub-b_ses-1", 1],
        ["sub-b_ses-3", "population_rate", 1, "sub-b_ses-1", 2],
        ["sub-b_ses-3", "population_rate", 1, "sub-b_ses-2", 1],
        ["sub-b_ses-3", "linear", 2, "sub-b_ses-1,sub-b_ses-2", 1],
        ["sub-b_ses-3", "population_rate", 2, "sub-b_ses-1,sub-b_ses-2", 1],
        ["sub-c_ses-2", "population_rate", 1, "sub-c_ses-1", 2],
    ]
    assert plan["n_scans_so_far"].tolist() == [1, 1, 2, 2, 2, 1]
    ending = "_space-MNI_desc-predicted_T1w.nii.gz"
    assert plan["file"].iloc[2:4].tolist() == [
        f"sub-b/ses-3/sub-b_ses-3_method-population_rate_seen-1_of-2{ending}",
        f"sub-b/ses-3/sub-b_ses-3_method-linear_seen-2{ending}",
    ]
    assert sees_all(plan)["seen_scans"].tolist() == [
        *["sub-b_ses-1"] * 2,
        *["sub-b_ses-1,sub-b_ses-2"] * 2,
        "sub-c_ses-1",
    ]
    people = set(zip(plan["dataset"], plan["subject"], strict=True))
    assert sorted(people) == [("demo", "sub-b"), ("demo", "sub-c")]
    assert compared_scans(plan)[:2] == [
        "demo/sub-b/ses-1/sub-b_ses-1",
        "demo/sub-b/ses-2/sub-b_ses-2",
    ]


def test_age_orders_the_scans_not_the_session_name(scans):
    swapped = scans.copy()
    swapped.loc[swapped["subject"] == "sub-b", "age_years"] = [72, 71, 70]
    plan = plan_forecasts(swapped, AgingSettings(methods=["linear"]))
    assert plan[["scan", "seen_scans"]].to_numpy().tolist() == [
        ["sub-b_ses-1", "sub-b_ses-3,sub-b_ses-2"]
    ]


def test_missing_ages_and_flagged_scans_are_left_out(scans):
    scans["age_years"] = scans["age_years"].astype(object)
    scans.loc[3, "age_years"] = "n/a"
    scans.loc[7, "flagged"] = True
    plan = plan_forecasts(scans, AgingSettings())
    assert plan["seen_scans"].tolist() == ["sub-b_ses-2"]
    assert plan["scan"].tolist() == ["sub-b_ses-3"]


def test_ages_as_text_give_the_same_plan(scans):
    text = scans.assign(age_years=scans["age_years"].astype(str), flagged="false")
    pd.testing.assert_frame_equal(
        plan_forecasts(text, AgingSettings()), plan_forecasts(scans, AgingSettings())
    )


def test_without_a_training_rate_only_own_lines_are_planned(scans):
    alone = scans[scans["split"] != "train"]
    assert set(plan_forecasts(alone, AgingSettings())["method"]) == {"linear"}


def test_scans_of_one_age_give_no_line_and_no_target(scans):
    scans.loc[scans["subject"] == "sub-b", "age_years"] = [70, 70, 71]
    plan = plan_forecasts(scans, AgingSettings())
    of_b = plan[plan["subject"] == "sub-b"]
    assert set(of_b["method"]) == {"population_rate"}
    assert set(of_b["scan"]) == {"sub-b_ses-3"}


def test_cross_sectional_cohort_gives_empty_plans():
    scans = cohort({"a": [60], "b": [70]}, {"a": "train", "b": "test"})
    for table in (scans, scans.drop(columns="flagged"), scans.assign(age_years=np.nan)):
        assert list(plan_forecasts(table, AgingSettings())) == FORECAST_COLUMNS
        assert plan_forecasts(table, AgingSettings()).empty
        assert list(plan_interpolations(table, AgingSettings())) == INTERPOLATION_COLUMNS
    assert plan_forecasts(pd.DataFrame([]), AgingSettings()).empty
    assert compared_scans(plan_forecasts(scans, AgingSettings())) == []


def test_interpolation_joins_first_and_last_even_without_ages(scans):
    scans.loc[scans["subject"] == "sub-c", "age_years"] = np.nan
    plan = plan_interpolations(scans, AgingSettings())
    ends = plan[["subject", "method", "scan_first", "scan_last"]].drop_duplicates()
    assert ends.to_numpy().tolist() == [
        ["sub-b", "latents", "sub-b_ses-1", "sub-b_ses-3"],
        ["sub-b", "voxels", "sub-b_ses-1", "sub-b_ses-3"],
        ["sub-c", "latents", "sub-c_ses-1", "sub-c_ses-2"],
        ["sub-c", "voxels", "sub-c_ses-1", "sub-c_ses-2"],
        ["sub-b", "strangers", "sub-b_ses-1", "sub-c_ses-1"],
    ]
    assert plan["alpha"].tolist() == AgingSettings().alphas * 5
    assert plan["file"].is_unique
    assert [path.rpartition("/")[2] for path in interpolated_scans(plan)] == [
        "sub-b_ses-1", "sub-b_ses-3", "sub-c_ses-1", "sub-c_ses-2",
    ]  # fmt: skip
    limited = plan_interpolations(scans, AgingSettings(interpolation_subjects=1))
    assert set(limited["subject"]) == {"sub-b"}
    assert set(limited["method"]) == {"latents", "voxels"}
