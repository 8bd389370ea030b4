"""Rates that travel: the same forecasts in a run without training people, and nothing else."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load, save

from brainlapse.aging.errors import forecast_volumes
from brainlapse.aging.forecast import forecast_latents
from brainlapse.aging.plan import plan_forecasts
from brainlapse.aging.rate_fitting import fit_rates, rates_of_run
from brainlapse.aging.rates import (
    RATES_NAME,
    Rates,
    check_elements,
    pack_rates,
    read_rates,
    unpack_rates,
)
from brainlapse.aging.settings import AgingSettings
from brainlapse.aging.storage import STRUCTURE
from brainlapse.cohort.tables import SCAN
from brainlapse.damage import DamagedFile
from tests.unit.aging.planted import plant

SHAPE = (2, 2, 2, 3)
REGIONS = {"ventricles": 2e4, "hippocampus": 7e3}
SETTINGS = AgingSettings(scans_seen=[1, 2], methods=["population_rate", "bayes"])


@pytest.fixture(scope="module")
def run():
    """Latents, index and volumes of 24 training people and one who is only applied to."""
    loadings = 0.2 * np.random.default_rng(1).normal(size=(2, int(np.prod(SHAPE))))
    people = plant(25, 3, loadings, seed=2)
    rows, volumes, latents = [], [], []
    for number, person in enumerate(people):
        for visit, (age, values) in enumerate(zip(person.ages_years, person.values, strict=True)):
            scan = {
                "dataset": "mine" if number == 24 else "ixi",
                "subject": f"sub-{number}",
                "session": f"ses-{visit}",
                "scan": f"sub-{number}_ses-{visit}",
            }
            split = "apply" if number == 24 else "train"
            rows.append({**scan, "split": split, "age_years": age, "sex": "FM"[number % 2]})
            latents.append(values.reshape(SHAPE))
            growth = np.exp(0.02 * (age - 70) + 0.01 * values[0])
            volumes += [
                {**scan, "kind": "real", "region": name, "volume_mm3": mm3 * growth,
                 "backend": "embedded"}
                for name, mm3 in REGIONS.items()
            ]  # fmt: skip
    return np.array(latents), pd.DataFrame(rows), pd.DataFrame(volumes)


@pytest.fixture(scope="module")
def content(run):
    return pack_rates(fit_rates(*run))


def alone(run):
    """The run of the person who is only applied to."""
    latents, index, volumes = run
    mine = (index["dataset"] == "mine").to_numpy()
    return latents[mine], index[mine].reset_index(drop=True), volumes[volumes["dataset"] == "mine"]


def test_latents_are_forecast_as_in_the_run_that_the_rates_come_from(run, content, tmp_path):
    latents, index, _ = run
    plan = plan_forecasts(index, SETTINGS)
    plan = plan[plan["split"] == "apply"]
    expected = forecast_latents(plan, latents, index, SETTINGS)

    mean, scans, _ = alone(run)
    assert plan_forecasts(scans, SETTINGS).empty  # nothing tells a rate
    (tmp_path / RATES_NAME).write_bytes(content)
    brought = read_rates([str(tmp_path / RATES_NAME)], "last")
    again = plan_forecasts(scans, SETTINGS, tuple(brought.latents))
    pd.testing.assert_frame_equal(again, plan.reset_index(drop=True))
    found = forecast_latents(again, mean, scans, SETTINGS, brought)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    copies = np.abs(mean[0] - expected).max()
    assert copies > 0.1  # a forecast that does something

    anchored = read_rates([str(tmp_path / RATES_NAME)], "mean")
    assert anchored.latents["population_rate"].anchor == "mean"


def test_volumes_are_forecast_as_well_region_by_region(run, content):
    _, index, volumes = run
    _, scans, mine = alone(run)
    frame = pd.DataFrame(
        [
            {"dataset": "mine", "subject": "sub-24", "seen_scans": "sub-24_ses-0",
             "target_age_years": scans["age_years"].iloc[-1], "region": region}
            for region in REGIONS
        ]
    )  # fmt: skip
    keys = ["dataset", "scan", "region"]
    expected = forecast_volumes(frame, volumes.set_index(keys)["volume_mm3"], index)
    real = mine.set_index(keys)["volume_mm3"]
    brought = unpack_rates(content)
    for wanted in (frame, frame.iloc[1:]):  # also some of the regions only
        found = forecast_volumes(wanted, real, scans, brought)
        assert {"volume_rate", "volume_bayes"} <= set(found["method"])
        both = found.merge(expected, on=["region", "method"], suffixes=("", "_expected"))
        assert len(both) == len(found) == 3 * len(wanted)
        for name in ("predicted_mm3", "low_mm3"):
            np.testing.assert_allclose(both[name], both[f"{name}_expected"], rtol=1e-3)


def test_rates_are_fitted_once_for_every_block_of_people(run, tmp_path):
    latents, index, _ = run
    index = index.assign(split=["test" if n % 4 == 0 else "train" for n in range(len(index))])
    index["split"] = index.groupby("subject")["split"].transform("first")
    plan = plan_forecasts(index, AgingSettings(scans_seen=[1, 2]))
    expected = forecast_latents(plan, latents, index, SETTINGS)
    (tmp_path / RATES_NAME).write_bytes(pack_rates(rates_of_run(latents, index, Rates())))
    rates = read_rates([str(tmp_path / RATES_NAME)], "last")
    training = (index["split"] == "train").to_numpy()
    unread = np.where(training[:, None, None, None, None], np.nan, latents)  # nobody's any more
    for _, block in plan.groupby("subject"):
        found = forecast_latents(block, unread, index, SETTINGS, rates)
        np.testing.assert_allclose(found, expected[block.index], atol=1e-5)


def test_a_block_forecasts_alone_what_the_whole_run_forecasts(run):
    latents, index, _ = run
    index = index.assign(split=["test" if n in (6, 7, 8) else "train" for n in range(len(index))])
    rates = rates_of_run(latents, index, Rates())
    settings = AgingSettings(scans_seen=[1, 2])
    plan = plan_forecasts(index, settings, tuple(rates.latents))
    expected = forecast_latents(plan, latents, index, settings, rates)
    assert set(plan["method"]) >= {"linear", "population_rate", "bayes"}
    mine = (index["split"] == "test").to_numpy()
    block = index[mine].reset_index(drop=True)
    again = plan_forecasts(block, settings, tuple(rates.latents))
    pd.testing.assert_frame_equal(again, plan)
    found = forecast_latents(again, latents[mine], block, settings, rates)
    np.testing.assert_array_equal(found, expected)


def test_training_people_of_the_run_come_first(run, content):
    latents, index, _ = run
    brought = unpack_rates(content)
    doubled = dataclasses.replace(
        brought.latents["population_rate"], beta=2 * brought.latents["population_rate"].beta
    )
    brought = Rates({**brought.latents, "population_rate": doubled})
    own = rates_of_run(latents, index, brought).latents["population_rate"]
    np.testing.assert_allclose(2 * own.beta, doubled.beta)
    mean, scans, _ = alone(run)
    assert rates_of_run(mean, scans, brought) == brought
    assert rates_of_run(mean, scans, Rates()) == Rates()
    nobody = np.empty(0), pd.DataFrame(columns=SCAN)
    assert rates_of_run(*nobody, brought) == brought
    one = index["subject"].isin(["sub-1", "sub-24"]).to_numpy()  # one person tells no spread
    few = rates_of_run(latents[one], index[one].reset_index(drop=True), Rates())
    assert set(few.latents) == {"population_rate"}
    few = rates_of_run(latents[one], index[one].reset_index(drop=True), brought)
    assert few.latents["population_rate"] is doubled
    assert set(few.latents) == {"population_rate", "bayes"}


def test_volumes_of_another_segmenter_are_left_out_with_a_word(content, caplog):
    brought = unpack_rates(content)
    assert brought.measured_by({"embedded"}) is brought
    left = brought.measured_by({"synthseg"})
    assert not left.volumes
    assert set(left.latents) == {"population_rate", "bayes"}
    assert "measured by embedded, those here by synthseg" in caplog.text


def test_too_few_people_tell_nothing(run):
    latents, index, volumes = run
    few = index["split"].where(index["subject"].isin(["sub-0", "sub-1"]), "test")
    of_two = fit_rates(latents, index.assign(split=few), volumes)
    assert set(of_two.latents) == {"population_rate"}
    assert not of_two.volumes
    assert fit_rates(latents, index.assign(split="test"), volumes) == Rates()
    assert unpack_rates(pack_rates(Rates())) == Rates()
    assert fit_rates(latents, index, volumes.iloc[:0]).regions == ()
    assert read_rates([], "last") == Rates()


def forged(content, change):
    parts = load(content)
    structure = json.loads(parts[STRUCTURE].tobytes())
    change(parts, structure)
    parts[STRUCTURE] = np.frombuffer(json.dumps(structure).encode(), dtype=np.uint8)
    return save(parts)


@pytest.mark.parametrize(
    "change",
    [
        lambda parts, s: s["latents"].update(linear=None),
        lambda parts, s: s["latents"]["bayes"].update({"class": "Popen"}),
        lambda parts, s: s["latents"]["bayes"].update(more=1),
        lambda parts, s: s.update(more=1),
        lambda parts, s: s["latents"]["population_rate"]["design"].update(
            age_centre_years=float("nan")
        ),
        lambda parts, s: parts["0"].fill(np.inf),
        lambda parts, s: parts.pop("0"),
    ],
)
def test_forged_rates_are_refused_in_a_sentence(content, change, tmp_path):
    with pytest.raises(ValueError, match="expected"):
        unpack_rates(forged(content, change))
    path = tmp_path / RATES_NAME
    path.write_bytes(content[:1000])
    with pytest.raises(DamagedFile, match=r"rates.safetensors: damaged \(expected fitted rates"):
        read_rates([str(path)], "last")


def test_rates_of_other_latents_are_refused(content):
    check_elements(unpack_rates(content), int(np.prod(SHAPE)))
    with pytest.raises(ValueError, match="expected rates of 7 elements, found 24"):
        check_elements(unpack_rates(content), 7)
