"""Requests are planned, or refused in one sentence that says what is wrong."""

import pandas as pd
import pytest

from brainlapse.aging.plan import last_seen_scans
from brainlapse.aging.settings import AgingSettings
from brainlapse.prediction.requests import (
    PLAN_COLUMNS,
    REFUSED_COLUMNS,
    BadRequests,
    plan_requests,
    read_requests,
)

PEOPLE = {  # dataset, subject -> split, ages
    ("a", "sub-1"): ("train", [60, 62]),
    ("a", "sub-2"): ("train", [70, 72]),
    ("a", "sub-3"): ("train", [50, 53]),
    ("a", "sub-4"): ("test", [64, 66, 68]),
    ("a", "sub-5"): ("test", [None]),
    ("b", "sub-4"): ("apply", [40]),
    ("b", "sub-6"): ("apply", [41]),
}


@pytest.fixture
def scans():
    rows = [
        {"dataset": dataset, "subject": subject, "session": f"ses-{n}",
         "scan": f"{subject}_ses-{n}", "split": split, "age_years": age, "flagged": False}
        for (dataset, subject), (split, ages) in PEOPLE.items()
        for n, age in enumerate(ages, start=1)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def ask(*rows):
    return pd.DataFrame(rows, columns=["dataset", "subject", "age_years"])


def test_all_scans_of_a_person_are_seen_and_the_best_possible_method_is_taken(scans):
    plan, refused = plan_requests(
        ask(("a", "sub-4", "70.5"), (None, "6", "60")), scans, AgingSettings()
    )
    assert list(plan) == PLAN_COLUMNS
    assert refused.empty
    first, second = plan.to_dict("records")
    assert first["seen_scans"] == "sub-4_ses-1,sub-4_ses-2,sub-4_ses-3"
    assert (first["method"], first["n_scans_seen"], first["horizon_years"]) == ("bayes", 3, 2.5)
    assert first["file"] == "a/sub-4/sub-4_space-MNI_desc-age70p5_T1w.nii.gz"
    assert (second["dataset"], second["method"]) == ("b", "bayes")
    assert last_seen_scans(plan) == ["a/sub-4/ses-3/sub-4_ses-3", "b/sub-6/ses-1/sub-6_ses-1"]
    assert first["note"] is None
    assert second["note"] is None


def test_ages_that_nobody_was_trained_on_are_noted(scans):
    plan, _ = plan_requests(ask(("a", "sub-4", "95")), scans, AgingSettings())
    assert plan["note"].tolist() == ["training subjects are 50.0 to 72.0 years old"]


def test_without_training_people_a_line_needs_two_scans(scans):
    alone = scans[scans["split"] != "train"]
    plan, refused = plan_requests(
        ask(("a", "sub-4", "70"), ("b", "sub-6", "50")), alone, AgingSettings()
    )
    assert plan["method"].tolist() == ["linear"]
    assert "no training subject" in plan["note"].item()
    assert "one scan needs the rate of training subjects" in refused["reason"].item()


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ((None, "sub-9", "70"), "found none of sub-9"),
        ((None, "sub-4", "70"), "stands in a, b: name one"),
        (("a", "sub-1", "70"), "were trained on sub-1"),
        (("a", "sub-5", "70"), "scan of known age"),
        (("a", "sub-4", "67"), "after the last scan, at 68 years, found 67"),
        (("a", "sub-4", "old"), "found old"),
        (("a", "sub-4", None), "expected an age"),
        (("a", "sub-4", "1e9"), "up to 120 years"),
    ],
)
def test_what_cannot_be_forecast_gets_its_sentence_and_stops_no_other(scans, request_, words):
    plan, refused = plan_requests(ask(request_, ("a", "sub-4", "70")), scans, AgingSettings())
    assert len(plan) == 1
    assert list(refused) == REFUSED_COLUMNS
    assert words in refused["reason"].item()


def test_a_request_twice_is_one_forecast(scans):
    plan, _ = plan_requests(ask(("a", "sub-4", "70"), ("a", "4", "70.0")), scans, AgingSettings())
    assert len(plan) == 1


def test_tables_as_people_write_them(tmp_path):
    path = tmp_path / "asked.tsv"
    path.write_text('\ufeffage_years\tsubject\tremark\n70\tsub-04\t"\n80\t05\tx\n')
    table = read_requests(path)
    assert table["subject"].tolist() == ["sub-04", "05"]
    path.write_text("subject,age_years\nsub-04,70\n")
    with pytest.raises(BadRequests, match=r"asked\.tsv: expected the columns .* separated by tabs"):
        read_requests(path)
    with pytest.raises(BadRequests, match="found none"):
        read_requests(tmp_path / "nowhere.tsv")
