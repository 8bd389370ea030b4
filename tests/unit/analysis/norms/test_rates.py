"""Norms of yearly change: planted rates come back as planted z-scores."""

import numpy as np
import pytest

from brainlapse.analysis.norms.rates import LATENTS, VOLUMES, component_rates, tabulate_rate_norms
from brainlapse.analysis.norms.settings import NormSettings
from brainlapse.cohort.columns import SCAN_COLUMNS
from brainlapse.runtime import read_table, write_table
from brainlapse.segmentation.columns import RATE_COLUMNS
from tests.unit.analysis.norms.cohorts import draw, draw_rates
from tests.unit.figures.run_scripts import run_script

SETTINGS = NormSettings()
SLOWER = (5, 105, 205)


@pytest.fixture(scope="module")
def drawn():
    return draw_rates(300, seed=4, slower=SLOWER)


@pytest.fixture(scope="module")
def norms(drawn):
    return tabulate_rate_norms(*drawn, SETTINGS)


@pytest.mark.parametrize(("measure", "region"), [(VOLUMES, "ventricles"), (LATENTS, "s2d/pc1")])
def test_controls_have_mean_0_and_sd_1_and_slower_people_lack_3(norms, measure, region):
    scores = norms.scores[(norms.scores["measure"] == measure) & (norms.scores["region"] == region)]
    assert len(scores) == 300  # one of each person
    held_out = scores["split"] == "test"
    controls, slower = scores.loc[~held_out, "z_score"], scores.loc[held_out, "z_score"]
    assert controls.mean() == pytest.approx(0, abs=0.15)
    assert controls.std() == pytest.approx(1, abs=0.12)
    assert slower.mean() == pytest.approx(-3, abs=1.2)


def test_the_curve_is_the_planted_one_and_rates_below_zero_count(drawn, norms):
    curve = norms.curves[norms.curves["region"] == "ventricles"]
    middle = curve.groupby("age_years")["centile_50"].mean()
    assert np.abs(middle - (2 + middle.index / 40)).max() < 0.5
    assert (drawn[0]["rate_pct_per_year"] < 0).any()
    fits = norms.fits.set_index("region")
    assert fits.loc["ventricles", "people"] == 300 - len(SLOWER)
    assert fits.loc["s2d/pc2", "note"] == "every control has the same value"


def test_component_rates_are_those_of_numpy(drawn):
    _, components, people = drawn
    found = component_rates(components["s2d"], people)
    scans = components["s2d"]
    mine = scans[scans["subject"] == scans["subject"].iloc[0]]
    slope = np.polyfit(mine["age_years"], mine["pc1"], 1)[0]
    fitted = people.rows.loc[people.fitted, ["scan"]].merge(scans, on="scan")
    name = f"a/{mine['subject'].iloc[0]}"
    assert found.loc[name, "pc1"] == pytest.approx(slope / fitted["pc1"].std())


def test_people_of_one_visit_have_no_rate():
    rates, components, people = draw_rates(40)
    alone = components["s2d"].drop_duplicates("subject")
    assert component_rates(alone, people).empty
    norms = tabulate_rate_norms(rates.iloc[:0], {"s2d": alone}, people, SETTINGS)
    assert norms.scores.empty
    assert norms.fits["note"].str.contains("expected 30 controls .* found 0").all()


def test_the_job_writes_whole_tables(tmp_path):
    rates, components, _ = draw_rates(30)
    _, scans, quality = draw(30, visits=3)
    tables = {
        "rates": rates.reindex(columns=RATE_COLUMNS),
        "scans": scans.reindex(columns=SCAN_COLUMNS),
        "quality": quality,
        "pca": components["s2d"],
    }
    for name, table in tables.items():
        write_table(tmp_path / f"{name}.tsv", table)
    inputs = {name: tmp_path / f"{name}.tsv" for name in ("rates", "scans", "quality")}
    outputs = {name: tmp_path / f"rate_{name}.tsv" for name in ("curves", "fits", "scores")}
    run_script(
        "fit_rate_norms",
        input={**inputs, "components": [tmp_path / "pca.tsv"]},
        output=outputs,
        params={"models": ["s2d"], "settings": SETTINGS.model_dump(mode="json")},
    )
    assert set(read_table(outputs["scores"])["region"]) == {"ventricles", "s2d/pc1"}
