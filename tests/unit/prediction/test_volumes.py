"""Volumes of requested forecasts: the planted change comes out, whatever the decoder's bias."""

import numpy as np
import pandas as pd
import pytest

from brainlapse.aging.settings import AgingSettings
from brainlapse.prediction.requests import plan_requests
from brainlapse.prediction.volumes import COLUMNS, IMAGE, tabulate_predictions

RATE = 0.03  # of log volume, a year


@pytest.fixture
def run():
    """Ventricles of 12 people, three visits each, growing at about the same rate."""
    random = np.random.default_rng(0)
    index, volumes = [], []
    for number in range(12):
        subject, split = f"sub-{number:02d}", "train" if number else "test"
        level, rate = random.normal(10, 0.2), RATE * random.normal(1, 0.2)
        for visit in range(3):
            scan = f"{subject}_ses-{visit}"
            age = 60.0 + number + 2 * visit
            index.append({"dataset": "d", "subject": subject, "session": f"ses-{visit}",
                          "scan": scan, "split": split, "age_years": age})  # fmt: skip
            mm3 = np.exp(level + rate * 2 * visit + random.normal(0, 0.002))
            volumes.append({"dataset": "d", "subject": subject, "scan": scan, "kind": "real",
                            "region": "ventricles", "volume_mm3": mm3})  # fmt: skip
    return pd.DataFrame(index), pd.DataFrame(volumes)


def test_the_planted_change_is_forecast_with_intervals_and_the_bias_cancels(run):
    index, volumes = run
    asked = pd.DataFrame({"dataset": ["d"], "subject": ["sub-00"], "age_years": ["69"]})
    plan, _ = plan_requests(asked, index, AgingSettings())
    measured = pd.DataFrame(
        {"dataset": ["d"], "scan": plan["scan"], "region": ["ventricles"],
         "volume_mm3": [1.5 * 1000 * np.exp(5 * RATE)], "rebuilt_mm3": [1.5 * 1000]}
    )  # fmt: skip
    table = tabulate_predictions(plan, measured, volumes, index)
    assert list(table) == COLUMNS
    assert table["method"].iloc[0] == "copy_last"  # what needs no network comes first
    assert table["method"].iloc[-1] == IMAGE
    rows = table.set_index("method")
    last = rows["last_observed_mm3"].iloc[0]
    assert rows.loc["copy_last", "predicted_mm3"] == pytest.approx(last)
    assert rows.loc[IMAGE, "predicted_mm3"] == pytest.approx(last * np.exp(5 * RATE))
    own = volumes.loc[volumes["subject"] == "sub-00", "volume_mm3"].to_numpy()
    rate = np.polyfit([0, 2, 4], np.log(own), 1)[0]
    bayes = rows.loc["volume_bayes"]
    assert bayes["predicted_mm3"] == pytest.approx(last * np.exp(5 * rate), rel=0.05)
    assert bayes["low_mm3"] < bayes["low_80_mm3"] < bayes["predicted_mm3"] < bayes["high_80_mm3"]
    assert rows.loc[IMAGE, ["low_80_mm3", "high_80_mm3"]].isna().all()
