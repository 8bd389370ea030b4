import logging

import numpy as np
import pandas as pd
import pytest

from brainlapse.aging.volumes import forecast_volumes

RATE = 0.03  # of everybody, relative, per year
VOLUMES = "volume_rate", "volume_bayes"


def cohort(train, visits=3):
    """Training subjects and a test subject whose volumes grow by 3 % a year, exactly."""
    generator = np.random.default_rng(0)
    rows = []
    for number in range(train + 1):
        age, level = generator.uniform(60, 70), generator.uniform(20000, 40000)
        rows += [
            {
                "dataset": "demo",
                "subject": f"sub-{number}",
                "scan": f"sub-{number}_ses-{visit}",
                "split": "test" if number == train else "train",
                "age_years": age + 1.5 * visit,
                "sex": "FM"[number % 2],
                "region": "ventricles",
                "mm3": level * np.exp(1.5 * RATE * visit),
            }
            for visit in range(visits)
        ]
    return pd.DataFrame(rows)


def targets(index, seen):
    """Last visit of the test subject from the first few."""
    mine = index[index["split"] == "test"]
    row = mine.iloc[-1]
    return pd.DataFrame(
        [
            {
                "dataset": "demo",
                "subject": row["subject"],
                "scan": row["scan"],
                "seen_scans": ",".join(mine["scan"].iloc[:seen]),
                "target_age_years": row["age_years"],
                "region": "ventricles",
            }
        ]
    )


def real(index):
    return index.set_index(["dataset", "scan", "region"])["mm3"]


@pytest.mark.parametrize("seen", [1, 2])
def test_a_shared_relative_rate_is_found(seen):
    index = cohort(train=12)
    found = forecast_volumes(targets(index, seen), real(index), index).set_index("method")
    truth = index["mm3"].iloc[-1]
    for method in VOLUMES:
        assert found.loc[method, "predicted_mm3"] == pytest.approx(truth, rel=2e-3)
    assert found.loc["copy_last", "predicted_mm3"] < 0.98 * truth
    assert ("volume_linear" in found.index) == (seen == 2)
    assert found["log_spread"].notna().tolist() == [m == "volume_bayes" for m in found.index]


def test_unseen_and_held_out_scans_teach_nothing():
    index = cohort(train=6)
    frame = targets(index, 2)
    before = forecast_volumes(frame, real(index), index)
    changed = index.copy()
    changed.loc[changed.index[-1], "mm3"] *= 3
    pd.testing.assert_frame_equal(before, forecast_volumes(frame, real(changed), changed))


def test_a_cohort_seen_once_gives_the_copy_and_says_why(caplog):
    index = cohort(train=6)
    once = index[(index["split"] == "test") | index["scan"].str.endswith("ses-0")]
    with caplog.at_level(logging.INFO):
        found = forecast_volumes(targets(index, 1), real(index), once)
    assert found["method"].tolist() == ["copy_last"]
    assert "need 3 training subjects with volumes at two ages, found 0" in caplog.text


def test_scans_without_volume_and_people_without_sex_are_taken():
    index = cohort(train=12)
    index.loc[[0, 4], "mm3"] = [np.nan, 0.0]
    index["sex"] = index["sex"].where(index.index > 20)
    found = forecast_volumes(targets(index, 1), real(index), index)
    assert set(found["method"]) == {"copy_last", *VOLUMES}
    assert np.isfinite(found["predicted_mm3"]).all()
    index.loc[index["split"] == "test", "mm3"] = np.nan
    assert forecast_volumes(targets(index, 1), real(index), index).empty


def test_regions_together_say_what_each_says_alone():
    first = cohort(train=12)
    noise = np.random.default_rng(1).normal(0, 0.02, len(first))
    other = first.assign(region="hippocampus", mm3=first["mm3"] ** 0.5 * np.exp(noise))
    third = other.assign(region="amygdala", mm3=other["mm3"].iloc[::-1].to_numpy())
    third.loc[[2, 3], "mm3"] = np.nan  # not measured where the others are
    whole = pd.concat([first, other, third], ignore_index=True)
    asked = targets(first, 2)
    names = ["ventricles", "hippocampus", "amygdala"]
    frame = pd.concat([asked.assign(region=name) for name in names], ignore_index=True)
    together = forecast_volumes(frame, real(whole), first).set_index(["region", "method"])
    assert len(together) == 3 * 4
    for name in names:
        alone = forecast_volumes(asked.assign(region=name), real(whole), first)
        mine = together.loc[name].reindex(alone["method"])
        for column in ("predicted_mm3", "low_mm3", "high_mm3"):
            np.testing.assert_allclose(mine[column], alone[column], rtol=2e-3)
