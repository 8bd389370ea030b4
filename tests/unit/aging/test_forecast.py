import numpy as np
import pandas as pd
import pytest

from brainlapse.aging import forecast
from brainlapse.aging.plan import plan_forecasts, plan_interpolations
from brainlapse.aging.settings import AgingSettings

SHAPE = (2, 3, 2, 2)
SPLITS = ["train", "train", "train", "validation", "test", "test", "apply"]
AGES = [[60, 62, 65], [70, 71, 73], [80], [55, 57, 58], [66, 67, 69], [50, 51.5, 54], [45, 47, 50]]


@pytest.fixture
def planted():
    """Latents on exact lines: (index, latents, slopes); training subjects share one slope."""
    generator = np.random.default_rng(0)
    records, latents, slopes = [], [], {}
    shared = generator.normal(size=SHAPE)
    for number, (split, ages) in enumerate(zip(SPLITS, AGES, strict=True)):
        slope = shared if split == "train" else generator.normal(size=SHAPE)
        start = 5 * generator.normal(size=SHAPE)
        slopes[f"sub-{number}"] = slope
        for session, age in enumerate(ages, start=1):
            latents.append(start + slope * age)
            records.append(("demo", f"sub-{number}", f"ses-{session}", split, float(age)))
    columns = ["dataset", "subject", "session", "split", "age_years"]
    index = pd.DataFrame(records, columns=columns)
    index.insert(3, "scan", index["subject"] + "_" + index["session"])
    return index, np.array(latents, dtype=np.float32), slopes


def own_rows(index, plan):
    row = {scan: number for number, scan in enumerate(index["scan"])}
    return [row[scan] for scan in plan["scan"]]


def test_linear_forecasts_of_planted_lines_are_exact(planted):
    index, latents, _ = planted
    settings = AgingSettings(methods=["linear"])
    plan = plan_forecasts(index, settings)
    assert plan["subject"].tolist() == ["sub-3", "sub-4", "sub-5", "sub-6"]
    found = forecast.forecast_latents(plan, latents, index, settings)
    np.testing.assert_allclose(found, latents[own_rows(index, plan)], atol=1e-3)
    assert (forecast.latent_errors(plan, found, latents, index)["latent_rmse"] < 1e-3).all()


def test_population_rate_ignores_everyone_but_training_subjects(planted):
    index, latents, _ = planted
    settings = AgingSettings(methods=["population_rate"], scans_seen=[1])
    plan = plan_forecasts(index, settings)
    before = forecast.forecast_latents(plan, latents, index, settings)
    unseen = (index["split"] != "train") & ~index["scan"].isin(plan["last_scan"])
    changed = latents.copy()
    changed[unseen.to_numpy()] += 1000
    np.testing.assert_array_equal(before, forecast.forecast_latents(plan, changed, index, settings))
    alone = index.assign(split="test")
    assert plan_forecasts(alone, settings).empty


@pytest.mark.parametrize("anchor", ["last", "mean"])
def test_population_rate_starts_from_the_seen_scans(planted, anchor):
    index, latents, slopes = planted
    settings = AgingSettings(methods=["population_rate"], anchor=anchor)
    plan = plan_forecasts(index, settings)
    row = plan[(plan["n_scans_seen"] == 2) & (plan["subject"] == "sub-4")]
    found = forecast.forecast_latents(row, latents, index, settings)[0]
    seen = latents[[10, 11]]
    start, age = (seen[1], 67) if anchor == "last" else (seen.mean(axis=0), 66.5)
    np.testing.assert_allclose(found, start + (69 - age) * slopes["sub-0"], atol=1e-3)


def test_a_change_in_the_unseen_target_moves_only_its_own_error(planted):
    index, latents, _ = planted
    settings = AgingSettings()
    plan = plan_forecasts(index, settings)
    before = forecast.forecast_latents(plan, latents, index, settings)
    errors_before = forecast.latent_errors(plan, before, latents, index)
    last_of_sub4 = index.index[index["scan"] == "sub-4_ses-3"].item()
    changed = latents.copy()
    changed[last_of_sub4] += 10
    after = forecast.forecast_latents(plan, changed, index, settings)
    np.testing.assert_array_equal(before, after)
    moved = ~np.isclose(
        errors_before["latent_rmse"],
        forecast.latent_errors(plan, after, changed, index)["latent_rmse"],
    )
    assert (moved == (plan["scan"] == "sub-4_ses-3")).all()


def test_interpolation_ends_at_both_scans(planted):
    index, latents, _ = planted
    plan = plan_interpolations(index, AgingSettings())
    codes = forecast.interpolated_latents(plan, latents, index)
    own = (plan["subject"] == "sub-4") & (plan["method"] == "latents")
    row = plan[own].reset_index().set_index("alpha")["index"]
    first, last = latents[10], latents[12]
    np.testing.assert_allclose(codes[row[0.0]], last)
    np.testing.assert_allclose(codes[row[0.5]], (first + last) / 2, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(codes[row[1.0]], first)
    beyond = first + 0.25 * (first - last)
    np.testing.assert_allclose(codes[row[1.25]], beyond, rtol=1e-4, atol=1e-4)


def test_empty_plans_give_empty_tables(planted):
    index, latents, _ = planted
    none = index.assign(age_years=np.nan)
    plan = plan_forecasts(none, AgingSettings())
    codes = forecast.forecast_latents(plan, latents, none, AgingSettings())
    assert codes.shape == (0, *SHAPE)
    errors = forecast.latent_errors(plan, codes, latents, none)
    assert list(errors) == ["latent_rmse", "latent_rmse_copy"]


def test_a_warped_scan_rests_on_the_forecast_that_it_is_named_after(planted):
    index, latents, _ = planted
    index.loc[index["subject"] == "sub-2", "split"] = "apply"
    index.loc[index["subject"] == "sub-3", "split"] = "train"
    settings = AgingSettings(methods=["linear", "bayes", "bayes_warped"], scans_seen=[2])
    plan = plan_forecasts(index, settings)
    assert plan["method"].tolist() == ["linear", "bayes", "bayes_warped"] * 3
    found, codes = forecast.forecast_codes(plan, latents, index, settings)
    np.testing.assert_array_equal(found[2::3], found[1::3])
    last = latents[[index["scan"].tolist().index(scan) for scan in plan["last_scan"][2::3]]]
    assert len(codes) == 12
    np.testing.assert_array_equal(codes[2::4], last)
    np.testing.assert_array_equal(codes[3::4], found[2::3])
    np.testing.assert_array_equal(codes[0::4], found[0::3])
    none, nothing = forecast.forecast_codes(plan.iloc[:0], latents, index, settings)
    assert none.shape == nothing.shape == (0, *SHAPE)
