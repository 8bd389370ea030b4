import numpy as np
import pytest
from scipy.special import expit, logit, softmax
from scipy.stats import pearsonr
from sklearn import metrics as reference
from sklearn.linear_model import LogisticRegression

from brainlapse.analysis.tasks import metrics


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
        metrics.regression_metrics(true, predicted, predicted), np.arange(30), subjects, 400, seed=1
    )
    many = metrics.bootstrap_intervals(
        metrics.regression_metrics(
            *(np.repeat(values, 10) for values in (true, predicted, predicted))
        ),
        np.arange(300),
        np.repeat(subjects, 10),
        400,
        seed=1,
    )
    np.testing.assert_allclose(once["mae"], many["mae"])
    assert once["mae"][0] < metrics.mae(true, predicted) < once["mae"][1]


@pytest.mark.parametrize(("people", "spread"), [(1, 1), (5, 1), (6, 0)])
def test_no_interval_from_few_people_or_where_all_draws_agree(people, spread):
    """Three people who are all told right have no interval from 1 to 1."""
    rows = np.arange(3 * people)
    functions = metrics.regression_metrics(1.0 + spread * rows, 0.0 * rows, 0.0 * rows)
    groups = np.repeat(np.arange(people).astype(str), 3)
    ranges = metrics.bootstrap_intervals(functions, rows, groups, 50, seed=0)
    assert np.isnan(ranges["mae"]).all()


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    """Of 8 people; plain percentiles hold it in 88 % (Hesterberg 2015)."""
    held = 0
    for seed in range(300):
        errors = np.random.default_rng(seed).normal(5, 1, size=8)
        functions = metrics.regression_metrics(errors, np.zeros(8), np.zeros(8))
        people = np.arange(8).astype(str)
        low, high = metrics.bootstrap_intervals(functions, np.arange(8), people, 200, seed)["mae"]
        held += low <= 5 <= high
    assert 0.91 < held / 300 < 0.98


def made_up(classes, n=300, seed=0):
    generator = np.random.default_rng(seed)
    true = generator.choice(classes, n, p=np.arange(1, classes + 1)[::-1] / sum(range(classes + 1)))
    scores = generator.normal(size=(n, classes)).round(1) + np.eye(classes)[true]  # with ties
    return true, softmax(scores, axis=1)


def test_metrics_of_two_classes_are_those_of_scikit_learn():
    true, probability = made_up(2)
    predicted, score = probability.argmax(axis=1), probability[:, 1]
    functions = metrics.classification_metrics(true, probability)
    assert set(functions) == set(metrics.CLASSIFICATION)
    slope = LogisticRegression(C=np.inf, tol=1e-10).fit(logit(score)[:, None], true).coef_.item()
    expected = {
        "accuracy": reference.accuracy_score(true, predicted),
        "balanced_accuracy": reference.balanced_accuracy_score(true, predicted),
        "roc_auc": reference.roc_auc_score(true, score),
        "pr_auc": reference.average_precision_score(true, score),
        "f1": reference.f1_score(true, predicted),
        "brier": reference.brier_score_loss(true, score),
        "sensitivity": reference.recall_score(true, predicted),
        "specificity": reference.recall_score(true, predicted, pos_label=0),
        "calibration_slope": slope,
    }
    found = {name: function(np.arange(300)) for name, function in functions.items()}
    assert found == pytest.approx(expected, abs=1e-5)


def test_metrics_of_three_classes_are_those_of_scikit_learn():
    true, probability = made_up(3)
    functions = metrics.classification_metrics(true, probability)
    predicted = probability.argmax(axis=1)
    expected = {
        "accuracy": reference.accuracy_score(true, predicted),
        "balanced_accuracy": reference.balanced_accuracy_score(true, predicted),
        "roc_auc": reference.roc_auc_score(true, probability, multi_class="ovr"),
        "pr_auc": reference.average_precision_score(np.eye(3)[true], probability),
        "f1": reference.f1_score(true, predicted, average="macro"),
        "brier": reference.brier_score_loss(true, probability),
    }
    found = {name: function(np.arange(300)) for name, function in functions.items()}
    assert found == pytest.approx(expected)


def test_metrics_of_numbers_are_those_of_scikit_learn():
    generator = np.random.default_rng(0)
    true, predicted, other = generator.normal(size=(3, 50))
    functions = metrics.regression_metrics(true, predicted, other)
    assert set(functions) == set(metrics.REGRESSION)
    expected = {
        "mae": reference.mean_absolute_error(true, predicted),
        "rmse": reference.root_mean_squared_error(true, predicted),
        "r2": reference.r2_score(true, predicted),
        "pearson_r": pearsonr(true, predicted).statistic,
        "mae_bias_corrected": reference.mean_absolute_error(true, other),
    }
    assert {n: f(np.arange(50)) for n, f in functions.items()} == pytest.approx(expected)


def test_slope_of_calibration_is_the_planted_one():
    generator = np.random.default_rng(0)
    scores = generator.normal(size=20000)
    positive = generator.random(20000) < expit(0.5 * scores - 1)
    assert metrics.calibration_slope(positive, expit(scores)) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("true", [np.zeros(4), np.ones(4), np.array([0, 0, 1, 1])])
def test_what_has_no_value_is_not_a_number(true):
    apart = np.stack([1 - np.array([0.1, 0.2, 0.8, 0.9]), [0.1, 0.2, 0.8, 0.9]], axis=1)
    functions = metrics.classification_metrics(true.astype(int), apart)
    assert np.isnan(functions["calibration_slope"](np.arange(4)))
    assert np.isnan(functions["pr_auc"](np.arange(4))) == (len(set(true)) == 1)
    assert np.isnan(functions["brier"](np.arange(0)))
    assert np.isnan(functions["sensitivity"](np.arange(4))) == (1 not in true)
