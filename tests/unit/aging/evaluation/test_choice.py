import numpy as np
import pandas as pd
import pytest

from brainlapse.aging.evaluation.choice import (
    CHOICE_COLUMNS,
    COMPARISON_COLUMNS,
    choose_methods,
    compare_methods,
    method_order,
)


def errors(means, *, subjects=30, split="validation", seed=0):
    """Errors of methods around given means; half of their scatter is shared, as of one target."""
    generator = np.random.default_rng(seed)
    shared = generator.normal(size=subjects)
    parts = [
        pd.DataFrame(
            {
                "dataset": "demo",
                "subject": [f"{split}-{n}" for n in range(subjects)],
                "scan": [f"{split}-{n}_ses-3" for n in range(subjects)],
                "split": split,
                "method": method,
                "n_scans_seen": 1,
                "region": "ventricles",
                "abs_error_pct": mean + shared + 0.1 * generator.normal(size=subjects),
            }
        )
        for method, mean in means.items()
    ]
    return pd.concat(parts, ignore_index=True)


def chosen(table):
    found = choose_methods(table)
    assert list(found) == CHOICE_COLUMNS
    return found.iloc[0]


def test_a_network_must_beat_what_needs_none():
    simple = {"copy_last": 9.0, "volume_bayes": 4.0, "reconstruction": 0.1}
    assert chosen(errors({**simple, "bayes_anchored": 3.5}))["method"] == "bayes_anchored"
    tied = chosen(errors({**simple, "bayes_anchored": 3.99}))
    assert tied["method"] == "volume_bayes"
    assert "bayes_anchored is not told apart" in tied["reason"]
    assert chosen(errors({**simple, "bayes_anchored": 5.0}))["method"] == "volume_bayes"


def test_test_subjects_choose_nothing():
    validation = errors({"volume_bayes": 4.0, "bayes": 6.0})
    test = errors({"volume_bayes": 90.0, "bayes": 1.0}, split="test")
    assert chosen(pd.concat([validation, test]))["method"] == "volume_bayes"


def test_few_validation_subjects_choose_nothing():
    few = errors({"volume_bayes": 4.0, "bayes": 1.0}, subjects=2)
    assert chosen(few)["method"] == "volume_bayes"
    assert chosen(few)["reason"] == "2 validation subjects, 3 are needed to choose"
    assert chosen(errors({"copy_last": 1.0, "linear": 0.1}, subjects=2))["method"] == "copy_last"


def test_comparisons_are_paired():
    table = errors({"copy_last": 9.0, "volume_bayes": 4.0, "linear": 4.2}, split="test")
    found = compare_methods(table)
    assert list(found) == COMPARISON_COLUMNS
    row = found[(found["method"] == "linear") & (found["than"] == "volume_bayes")].iloc[0]
    assert row["difference_pct"] == pytest.approx(0.2, abs=0.1)
    assert 0 < row["low_pct"] < row["difference_pct"] < row["high_pct"] < 0.4
    assert row["n_subjects"] == 30
    assert compare_methods(table.assign(split="validation")).empty


def test_methods_without_a_network_stand_first():
    names = ["bayes", "reconstruction", "volume_bayes", "linear", "copy_last"]
    wanted = ["copy_last", "volume_bayes", "bayes", "linear", "reconstruction"]
    assert sorted(names, key=method_order) == wanted
