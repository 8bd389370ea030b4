import numpy as np
import pytest

from brainlapse.analysis import metrics


def test_classification_by_hand():
    true, predicted = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])
    assert metrics.accuracy(true, predicted) == 0.75
    assert metrics.balanced_accuracy(true, predicted) == pytest.approx((2 / 3 + 1) / 2)


def test_roc_auc_by_hand():
    positive = np.array([True, True, False, False])
    assert metrics.roc_auc(positive, np.array([4.0, 2.0, 3.0, 1.0])) == 0.75
    assert metrics.roc_auc(positive, np.ones(4)) == 0.5
    assert np.isnan(metrics.roc_auc(np.array([True, True]), np.ones(2)))


def test_regression_by_hand():
    true, predicted = np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 5.0])
    assert metrics.mae(true, predicted) == pytest.approx(2 / 3)
    assert metrics.rmse(true, predicted) == pytest.approx(np.sqrt(4 / 3))
    assert metrics.r2(true, predicted) == pytest.approx(1 - 4 / 2)
    assert np.isnan(metrics.pearson_r(true, np.ones(3)))


def test_intervals_resample_subjects_not_scans():
    """Ten copies of each scan must not narrow the interval."""
    generator = np.random.default_rng(0)
    true, predicted = generator.normal(size=30), np.zeros(30)
    subjects = np.arange(30).astype(str)
    once = metrics.bootstrap_intervals(
        metrics.regression_metrics(true, predicted), np.arange(30), subjects, 400, seed=1
    )
    many = metrics.bootstrap_intervals(
        metrics.regression_metrics(np.repeat(true, 10), np.repeat(predicted, 10)),
        np.arange(300),
        np.repeat(subjects, 10),
        400,
        seed=1,
    )
    np.testing.assert_allclose(once["mae"], many["mae"])
    assert once["mae"][0] < metrics.mae(true, predicted) < once["mae"][1]


def test_no_interval_from_one_subject():
    functions = metrics.regression_metrics(np.ones(3), np.zeros(3))
    ranges = metrics.bootstrap_intervals(functions, np.arange(3), np.array(["a"] * 3), 10, seed=0)
    assert np.isnan(ranges["mae"]).all()
