import pandas as pd
import pytest

from brainlapse.aging.evaluation.groups import GROUP_COLUMNS, group_errors


def forecasts(split="test", people=4):
    """Errors of the copy: 1 % after a year, 5 % after three; patients' twice as large."""
    rows = [
        {
            "dataset": "demo",
            "subject": f"sub-{number}",
            "scan": f"sub-{number}_ses-{visit}",
            "split": split,
            "method": method,
            "n_scans_seen": 1,
            "region": "ventricles",
            "horizon_years": horizon,
            "abs_error_pct": error * (2 if number % 2 else 1) * (method == "copy_last"),
        }
        for number in range(people)
        for visit, (horizon, error) in enumerate([(1.0, 1.0), (3.0, 5.0)], start=2)
        for method in ("bayes", "copy_last")
    ]
    return pd.DataFrame(rows)


def index(errors):
    scans = errors[["dataset", "subject", "scan"]].drop_duplicates()
    odd = scans["subject"].str[-1].astype(int) % 2 == 1
    return scans.assign(diagnosis=odd.map({True: "patient", False: "control"}))


def test_errors_stand_by_horizon_and_diagnosis_with_the_copy_first():
    errors = forecasts()
    table = group_errors(errors, index(errors))
    assert list(table) == GROUP_COLUMNS
    assert set(table["by"]) == {"horizon_years", "diagnosis"}  # one data set says nothing new
    assert table["method"].iloc[0] == "copy_last"
    copy = table[table["method"] == "copy_last"].set_index("group")["mean_abs_error_pct"]
    assert copy.to_dict() == pytest.approx({"0-1": 1.5, "2-4": 7.5, "control": 3.0, "patient": 6.0})
    by_horizon = table[table["by"] == "horizon_years"]
    assert (by_horizon["n_subjects"] == 4).all()


def test_validation_subjects_and_unknown_diagnoses_do_not_count():
    errors = forecasts("validation")
    assert group_errors(errors, index(errors)).empty
    errors = forecasts()
    unknown = index(errors).assign(diagnosis=None)
    assert set(group_errors(errors, unknown)["by"]) == {"horizon_years"}
    assert group_errors(errors.iloc[:0], unknown).empty
