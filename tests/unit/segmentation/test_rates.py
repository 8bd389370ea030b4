import numpy as np
import pandas as pd
import pytest

from brainlapse.segmentation.rates import RATE_COLUMNS, tabulate_rates

PLANTED = {"sub-1": 0.05, "sub-2": 0.02, "sub-3": -0.01}


def tables(ages, noise=0.0, kinds=("real", "aligned"), statuses=None, seed=0):
    """Volumes, scans and verdicts of three people whose ventricles change as planted."""
    random = np.random.default_rng(seed)
    rows, scans = [], []
    for subject, rate in PLANTED.items():
        for number, age in enumerate(ages):
            scan = f"{subject}_ses-{number + 1}"
            scans.append({"dataset": "a", "subject": subject, "scan": scan, "age_years": age})
            for kind in kinds:
                true = 20000 * np.exp(rate * (age - ages[0]) + random.normal(0, noise))
                volume = true if kind == "aligned" else 0.8 * true
                rows.append(
                    {"dataset": "a", "subject": subject, "scan": scan, "kind": kind,
                     "region": "ventricles", "native_volume_mm3": volume}
                )  # fmt: skip
    scans = pd.DataFrame(scans)
    quality = scans[["dataset", "scan"]].assign(status="accepted")
    for scan, status in (statuses or {}).items():
        quality.loc[quality["scan"] == scan, "status"] = status
    return pd.DataFrame(rows), scans, quality


def test_planted_rates_come_from_the_aligned_volumes():
    rates = tabulate_rates(*tables([60.0, 62.0, 63.5])).set_index("subject")
    assert list(rates.reset_index()[RATE_COLUMNS].columns) == RATE_COLUMNS
    for subject, rate in PLANTED.items():
        assert rates.loc[subject, "rate_pct_per_year"] == pytest.approx(100 * rate, abs=1e-4)
    assert set(rates["kind"]) == {"aligned"}
    assert set(rates["visits"]) == {3}
    assert rates["span_years"].tolist() == [3.5] * 3


def test_standard_errors_cover_the_truth():
    found = []
    for seed in range(60):
        rates = tabulate_rates(*tables([60.0, 62.0, 64.0], noise=0.01, seed=seed))
        found.append(rates["standard_error"].iloc[0])
    # noise of 1 % at three visits two years apart: 1 / sqrt(8) % per year
    assert np.sqrt(np.mean(np.square(found))) == pytest.approx(1 / np.sqrt(8), rel=0.1)


def test_without_three_visits_there_is_no_error():
    rates = tabulate_rates(*tables([60.0, 62.0]))
    assert len(rates) == 3
    assert rates["standard_error"].isna().all()


def test_only_accepted_visits_count():
    statuses = {"sub-1_ses-3": "flagged", "sub-2_ses-2": "rejected", "sub-2_ses-3": "rejected"}
    rates = tabulate_rates(*tables([60.0, 62.0, 64.0], statuses=statuses)).set_index("subject")
    assert rates.loc["sub-1", "visits"] == 2
    assert "sub-2" not in rates.index


def test_real_volumes_stand_in_where_nothing_was_aligned():
    rates = tabulate_rates(*tables([60.0, 62.0, 64.0], kinds=("real",)))
    assert set(rates["kind"]) == {"real"}


def test_nobody_with_two_ages_gives_an_empty_table():
    rates = tabulate_rates(*tables([60.0]))
    assert list(rates.columns) == RATE_COLUMNS
    assert rates.empty
