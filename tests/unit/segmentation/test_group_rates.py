"""Groups of rates: planted differences, and sizes of trials as statsmodels has them."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from brainlapse.segmentation.group_rates import GROUP_COLUMNS, tabulate_groups


def cohort(groups, error=0.5, seed=0):
    """Rates and scans; groups maps a diagnosis to people, mean and SD of their rates."""
    random = np.random.default_rng(seed)
    rates, scans = [], []
    for diagnosis, (count, mean, spread) in groups.items():
        for number in range(count):
            who = {"dataset": "a", "subject": f"sub-{diagnosis}{number}"}
            rate = random.normal(mean, spread)
            rates.append(
                {**who, "region": "ventricles", "rate_pct_per_year": rate, "standard_error": error}
            )
            scans += [{**who, "session": f"ses-{n}", "diagnosis": diagnosis} for n in (1, 2)]
    return pd.DataFrame(rates), pd.DataFrame(scans)


@pytest.fixture
def two_groups():
    return cohort({"control": (80, 3.0, 1.0), "patient": (60, 6.0, 2.0)})


def test_groups_are_described_and_compared_as_planted(two_groups):
    rates, scans = two_groups
    table = tabulate_groups(rates, scans)
    assert list(table) == GROUP_COLUMNS
    found = table.set_index("diagnosis")
    assert found["people"].tolist() == [80, 60]
    control, patient = found.loc["control"], found.loc["patient"]
    assert control["low"] < 3 < control["high"]
    assert patient["difference_low"] < 3 < patient["difference_high"]
    assert patient["difference_pct_per_year"] == -control["difference_pct_per_year"]
    by_group = rates.set_index(rates["subject"].str.contains("patient"))["rate_pct_per_year"]
    welch = CompareMeans(DescrStatsW(by_group[True]), DescrStatsW(by_group[False]))
    expected = welch.tconfint_diff(usevar="unequal")
    assert patient[["difference_low", "difference_high"]].tolist() == pytest.approx(
        expected, abs=1e-5
    )


def test_size_of_a_trial_is_that_of_statsmodels(two_groups):
    found = tabulate_groups(*two_groups).set_index("diagnosis").loc["patient"]
    effect = 0.25 * found["mean_pct_per_year"] / found["sd_pct_per_year"]
    expected = NormalIndPower().solve_power(effect, power=0.8, alpha=0.05)
    assert found["people_per_arm"] == np.ceil(expected)
    assert found["detectable_pct_per_year"] == pytest.approx(1.96 * np.sqrt(2) * 0.5, rel=1e-3)


def test_a_mean_that_may_be_zero_needs_no_trial():
    rates, scans = cohort({"control": (20, 0.0, 1.0)})
    row = tabulate_groups(rates, scans).iloc[0]
    assert np.isnan(row["people_per_arm"])
    assert np.isnan(row["difference_pct_per_year"])


def test_few_people_and_missing_diagnoses_have_a_row_without_comparison():
    rates, scans = cohort({"control": (5, 3.0, 1.0), "patient": (2, 6.0, 1.0)})
    scans.loc[scans["subject"] == "sub-control0", "diagnosis"] = None
    found = tabulate_groups(rates, scans).set_index("diagnosis")
    assert found["people"].to_dict() == {"control": 4, "n/a": 1, "patient": 2}
    assert found["mean_pct_per_year"].notna().to_dict() == {
        "control": True, "n/a": False, "patient": False,
    }  # fmt: skip
    assert found["difference_pct_per_year"].isna().all()


def test_nobody_with_two_visits_gives_an_empty_table():
    rates, scans = cohort({"control": (3, 3.0, 1.0)})
    table = tabulate_groups(rates.iloc[:0], scans)
    assert list(table) == GROUP_COLUMNS
    assert table.empty
