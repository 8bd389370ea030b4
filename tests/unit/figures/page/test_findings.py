"""The first screen says what was planted, and nothing is picked by its own score."""

import numpy as np
import pandas as pd
import pytest

from brainlapse.figures.page import findings, task_section
from brainlapse.figures.page.sections import Run
from brainlapse.runtime import write_table


def planted_errors(people=30, gain=2.0, split="test", seed=0):
    """Copy errs by 10 %, `method` by `gain` less, both noisy and together; three visits each."""
    random = np.random.default_rng(seed)
    rows = []
    for person in range(people):
        level = random.normal(10, 3)
        for visit in range(3):
            noise = random.normal(0, 0.5, 2)
            for method, error in (("copy_last", level), ("linear", level - gain)):
                value = error + noise[int(method == "linear")]
                rows.append((f"sub-{person:02d}", f"s{visit}", method, 2, "ventricles", value))
    columns = ["subject", "scan", "method", "n_scans_seen", "region", "abs_error_pct"]
    return pd.DataFrame(rows, columns=columns).assign(dataset="demo", split=split)


@pytest.mark.parametrize(
    ("gain", "verdict"), [(2.0, "better"), (-2.0, "worse"), (0.0, "not told apart")]
)
def test_verdict_is_the_planted_one(gain, verdict):
    (found,) = findings.compare("s2d", planted_errors(gain=gain))
    assert found.verdict == verdict
    assert found.difference_pct.value == pytest.approx(-gain, abs=0.3)
    assert found.difference_pct.low < -gain < found.difference_pct.high
    assert found.error_pct.subjects == 30


def test_worse_than_a_copy_is_a_warning():
    worse = findings.compare("s2d", planted_errors(gain=-2))
    (sentence,) = findings.warnings(worse)
    assert sentence.startswith(
        "s2d, linear, 2 seen: the forecast of ventricles is worse than a copy"
    )
    assert findings.warnings(findings.compare("s2d", planted_errors(gain=2))) == []


def test_what_needs_no_network_stands_first_and_beside_every_forecast():
    errors = planted_errors(gain=2.0)
    alone = errors[errors["method"] == "linear"].assign(method="volume_bayes")
    alone["abs_error_pct"] -= 3 + np.random.default_rng(1).normal(0, 0.2, len(alone))
    both = pd.concat([errors, alone], ignore_index=True)
    first, decoded = findings.compare("s2d", both)
    assert (first.method, first.on_volumes, first.alone_difference_pct) == (
        "volume_bayes", True, None,
    )  # fmt: skip
    assert decoded.verdict == "better"  # than the copy
    assert decoded.alone_difference_pct.value == pytest.approx(3, abs=0.2)
    assert findings.verdict(decoded.alone_difference_pct) == "worse"
    table = findings.comparison_table([first, decoded])
    assert table["forecast"].tolist() == ["volume bayes (no network)", "s2d, linear"]
    beside, than = table["against volume bayes [points]"]
    assert beside == ""
    assert than.endswith(": worse")
    assert findings.compare("s2d", errors)[0].alone_difference_pct is None


def test_no_model_is_told_to_have_made_the_images_of_others(tmp_path):
    errors = planted_errors(gain=2.0)
    others = [
        errors[errors["method"] == "linear"].assign(method=name)
        for name in ("linear_anchored", "voxel_linear", "diffusion")
    ]
    for model in ("one", "two"):
        table = pd.concat([errors, *others], ignore_index=True)
        write_table(tmp_path / f"aging/{model}/errors.tsv", table)
    run = Run(tmp_path, ("one", "two"), (), {})
    found = findings.comparisons(run)
    assert sorted(findings.comparison_table(found)["forecast"]) == [
        "diffusion (another tool)",
        "one, linear",
        "one, linear anchored",
        "two, linear",
        "two, linear anchored",
        "voxel linear (no network)",
    ]
    (sentence,) = (line for line in findings.sentences(run, found) if "Ventricles" in line)
    assert "forecasts of one by 8" in sentence
    assert "diffusion (another tool) by 8" in sentence
    assert "Of 6 forecasts through images, 6 do better" in sentence


def test_interval_covers_the_mean_of_the_population():
    """95 % intervals over 20 people, 200 draws: between 88 and 99 of 100 hold the true mean."""
    random = np.random.default_rng(3)
    people = pd.Series(np.repeat(np.arange(20), 2))
    held = 0
    for _ in range(200):
        values = pd.Series(np.repeat(random.normal(5, 2, 20), 2))
        one = findings.estimate(values, people)
        held += one.low <= 5 <= one.high
    assert 0.88 <= held / 200 <= 0.99


def test_every_person_weighs_the_same():
    values = pd.Series([1.0, 1.0, 1.0, 1.0, 3.0, 5.0])
    people = pd.Series(["a", "a", "a", "a", "b", "c"])
    assert findings.estimate(values, people).value == pytest.approx(3)


def test_two_people_give_no_interval_and_no_verdict():
    (found,) = findings.compare("s2d", planted_errors(people=2, gain=9))
    assert found.difference_pct.low is None
    assert found.verdict == "too few subjects"
    assert "(" not in found.error_pct.words()


def test_validation_is_not_judged_and_equal_labels_of_two_data_sets_are_two_people():
    assert findings.compare("s2d", planted_errors(split="validation")) == []
    both = pd.concat([planted_errors(), planted_errors(seed=1).assign(dataset="clinic")])
    assert findings.compare("s2d", both)[0].error_pct.subjects == 60


def test_a_task_is_told_by_its_main_estimator(tmp_path):
    """Of several, the first of the table: none is picked by its score."""
    task = {"name": "age", "target": "age_years", "kind": "regression"}
    run = Run(tmp_path, ("s2d",), (task,), {})
    rows = pd.DataFrame(
        {
            "task": "age",
            "estimator": ["ridge", "svr"],
            "autoencoder_split": "test",
            "metric": "mae",
            "value": [7.5, 4.5],
            "n_subjects": 20,
            "chosen": ["alpha 1 (5 of 5)", "C 1 (5 of 5)"],
        }
    )
    write_table(tmp_path / "analysis/s2d/tasks/age/metrics.tsv", rows)
    (sentence,) = findings._tasks(run)
    assert "mean absolute error 7.5 on test" in sentence
    tables = [block for block in task_section.task_section(run).blocks if block["kind"] == "table"]
    assert [len(block["rows"]) for block in tables] == [1, 2, 1]
    assert [block["folded"][:5] for block in tables] == ["", "What ", "Other"]
