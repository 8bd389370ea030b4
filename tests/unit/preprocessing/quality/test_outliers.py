import numpy as np
import pandas as pd
import pytest

from brainlapse.preprocessing.quality.outliers import COMPARISONS, compare_scans, robust_z
from brainlapse.preprocessing.quality.settings import QualitySettings

NAMES = [comparison.name for comparison in COMPARISONS]
SETTINGS = QualitySettings(outlier_z=6.0, outlier_min_scans=10)


@pytest.fixture
def table():
    rng = np.random.default_rng(5)
    numbers = pd.DataFrame(rng.normal(20, 1, (30, len(NAMES))), columns=NAMES)
    return numbers.assign(
        dataset="site", split="train", status="accepted", scan=[f"s{i}" for i in range(30)]
    )


def test_score_of_known_values():
    values = np.array([1.0, 2, 3, 4, 5, 100])
    yardstick = np.array([True] * 5 + [False])
    z, median = robust_z(values, yardstick)
    assert median == 3
    assert z[-1] == pytest.approx(97 / 1.4826)
    assert z[0] == pytest.approx(-2 / 1.4826)
    assert robust_z(values, yardstick, floor=10.0)[0][-1] == pytest.approx(9.7)


def test_a_long_tail_is_no_crowd_of_outliers_and_the_other_side_keeps_its_yardstick():
    random = np.random.default_rng(3)
    values = random.exponential(size=4000)
    z, median = robust_z(values, np.full(4000, True))
    tail = (np.quantile(values, 0.8) - median) / 0.8416  # wider than the median deviation
    high = values > median
    assert z[high] == pytest.approx((values[high] - median) / tail, rel=1e-3)
    assert z.min() > -1.5
    assert np.mean(z > 6) < 0.002 < np.mean((values - median) / 0.71 > 6)  # 0.71: the deviation


def test_test_scans_are_compared_and_move_nothing(table):
    table.loc[20:, "split"] = "test"
    table.loc[25, "white_snr"] = 5.0
    _, before = compare_scans(table, SETTINGS)
    reasons, _ = compare_scans(table, SETTINGS)
    assert [row for row in table.index if reasons[row]] == [25]
    table.loc[20:, NAMES] *= 3
    _, after = compare_scans(table, SETTINGS)
    pd.testing.assert_series_equal(before[:20], after[:20])


def test_planted_outlier_is_named_in_words_and_nobody_else(table):
    table.loc[7, "white_snr"] = 5.0
    reasons, largest_z = compare_scans(table, SETTINGS)
    assert [row for row in table.index if reasons[row]] == [7]
    (sentence,) = reasons[7]
    assert sentence.startswith("white-matter SNR 5 is far below this cohort's ")
    assert "(robust z -" in sentence
    assert largest_z.idxmax() == 7


def test_good_end_of_a_one_sided_number_flags_nobody(table):
    table.loc[7, "white_snr"] = 90.0
    assert not any(compare_scans(table, SETTINGS)[0])


def test_order_plays_no_part(table):
    table.loc[7, "shear_xy"] = -30.0
    shuffled = table.sample(frac=1, random_state=1)
    for first, second in zip(
        compare_scans(table, SETTINGS), compare_scans(shuffled, SETTINGS), strict=True
    ):
        assert first.to_dict() == second.sort_index().to_dict()


def test_constant_and_missing_numbers_flag_nobody(table):
    table["white_snr"] = 7.0
    table.loc[3, "white_snr"] = 1.0
    table["contrast"] = np.nan
    with np.errstate(all="raise"):
        reasons, largest_z = compare_scans(table, SETTINGS)
    assert not any(reasons)
    assert np.isfinite(largest_z).all()


def test_small_data_sets_are_not_compared(table):
    table.loc[7, "white_snr"] = 1.0
    small = table.iloc[:9]
    reasons, largest_z = compare_scans(small, SETTINGS)
    assert not any(reasons)
    assert largest_z.isna().all()


def test_data_sets_are_compared_each_with_itself(table):
    other = table.assign(dataset="other", white_snr=table["white_snr"] / 4)
    other.index = other.index + 100
    assert not any(compare_scans(pd.concat([table, other]), SETTINGS)[0])


def test_rejected_scans_neither_count_nor_get_flags(table):
    table.loc[:13, "status"] = "rejected"
    table.loc[:13, "white_snr"] = -50.0
    table.loc[20, "white_snr"] = 5.0
    reasons, largest_z = compare_scans(table, SETTINGS)
    assert [row for row in table.index if reasons[row]] == [20]
    assert largest_z[:14].isna().all()
