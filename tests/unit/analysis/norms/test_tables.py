"""Norms of drawn cohorts: who is fitted, what is planted, what a test person may not change."""

import logging

import numpy as np
import pandas as pd
import pytest

from brainlapse.analysis.norms.pcntoolkit import tabulate_for_pcntoolkit
from brainlapse.analysis.norms.people import FEWEST_OF_SEX, NOT_FITTED, choose_people
from brainlapse.analysis.norms.scores import BY_ALL, BY_OTHERS, fit_region
from brainlapse.analysis.norms.settings import NormSettings
from brainlapse.analysis.norms.tables import (
    CURVE_COLUMNS,
    MEASURES,
    SCORE_COLUMNS,
    tabulate_norms,
)
from tests.unit.analysis.norms.cohorts import draw, together

SETTINGS = NormSettings()


def norms_of(volumes, scans, quality, settings=SETTINGS):
    return tabulate_norms(volumes, choose_people(scans, quality, settings), settings)


@pytest.fixture(scope="module")
def cohort():
    """300 controls to fit, 200 of the test split, 60 patients who lack 2 SD."""
    return together(
        draw(300, seed=1),
        draw(200, seed=2, split="test"),
        draw(60, seed=3, split="test", diagnosis="patient", shift=-2.0),
    )


@pytest.fixture(scope="module")
def norms(cohort):
    return norms_of(*cohort)


def of_share(scores, seed):
    return scores[
        scores["subject"].str.startswith(f"sub-{seed}-") & (scores["measure"] == MEASURES[0])
    ]


@pytest.mark.parametrize(("seed", "by"), [(1, BY_OTHERS), (2, BY_ALL)])
def test_controls_have_mean_0_and_sd_1_out_of_sample(norms, seed, by):
    found = of_share(norms.scores, seed)
    assert set(found["scored_by"]) == {by}
    for _, region in found.groupby("region"):
        known = region["z_score"].dropna()
        assert abs(known.mean()) < 3.5 / np.sqrt(len(known))
        assert known.std() == pytest.approx(1, abs=3.5 / np.sqrt(2 * len(known)))
        inside = region["centile"].dropna().between(5, 95).mean()
        assert abs(inside - 0.9) < 3 * np.sqrt(0.9 * 0.1 / len(known))


def test_a_planted_atrophy_gives_the_planted_z(norms):
    planted = of_share(norms.scores, 3).groupby("region")["z_score"]
    np.testing.assert_allclose(planted.mean(), -2, atol=0.35)
    np.testing.assert_allclose(planted.std(), 1, atol=0.25)


def test_the_calibration_of_a_fit_is_that_of_its_controls(norms):
    row = norms.fits.set_index(["measure", "region"]).loc[(MEASURES[0], "hippocampus")]
    found = of_share(norms.scores, 1).set_index("region").loc["hippocampus"]
    assert row["z_sd"] == pytest.approx(found["z_score"].std(), abs=1e-3)
    assert row["inside_share"] == pytest.approx(
        found["centile"].dropna().between(5, 95).mean(), abs=1e-3
    )
    assert row["people"] == 300
    assert row["spread_pct"] == pytest.approx(10, rel=0.1)
    assert row["spread_ratio"] == pytest.approx(np.exp(0.4), rel=0.3)


def test_nothing_of_a_test_person_or_a_patient_changes_the_curves(cohort, norms):
    fitted = draw(300, seed=1)
    volumes, scans, quality = together(fitted, draw(40, seed=9, split="apply", shift=8.0))
    for other in (norms_of(*fitted), norms_of(volumes, scans, quality)):
        assert other.curves.to_csv() == norms.curves.to_csv()
        assert other.fits.to_csv() == norms.fits.to_csv()


def test_training_patients_and_flagged_scans_are_not_fitted(cohort):
    volumes, scans, quality = together(
        draw(40, seed=1), draw(10, seed=2, diagnosis="AD"), draw(5, seed=4)
    )
    quality.loc[quality["scan"].str.startswith("sub-4"), "status"] = "flagged"
    people = choose_people(scans, quality, SETTINGS)
    assert set(people.rows.loc[people.fitted, "subject"].str[:5]) == {"sub-1"}
    assert people.fitted.sum() == 40
    assert not people.rows["subject"].str.startswith("sub-4").any()
    assert set(people.folds[people.rows["diagnosis"] == "AD"]) == {NOT_FITTED}
    scores = norms_of(volumes, scans, quality).scores
    assert set(scores.loc[scores["diagnosis"] == "AD", "scored_by"]) == {BY_ALL}


@pytest.mark.parametrize(
    ("diagnosis", "controls", "count"),
    [
        (None, SETTINGS.controls, 30),
        ("Control", SETTINGS.controls, 30),
        (None, ["control"], 0),
        ("euploid", SETTINGS.controls, 0),
        ("euploid", ["Euploid"], 30),
    ],
)
def test_settings_say_who_is_a_control(diagnosis, controls, count):
    _, scans, quality = draw(30, diagnosis=diagnosis)
    people = choose_people(scans, quality, NormSettings(controls=controls))
    assert people.fitted.sum() == count


def test_one_scan_of_each_person_is_fitted_and_all_are_left_out_together():
    volumes, scans, quality = draw(40, visits=4)
    scans.loc[scans["subject"] == "sub-0-0000", "diagnosis"] = [None, "control", "control", "MCI"]
    people = choose_people(scans, quality, SETTINGS)
    rows = people.rows[people.fitted]
    assert len(rows) == rows["person"].nunique() == 39
    assert set(rows["session"]) == {"ses-1"}  # of ses-0 to ses-3
    folds = pd.Series(people.folds).groupby(people.rows["person"])
    assert (folds.min() == folds.max()).all()
    scores = norms_of(volumes, scans, quality).scores
    own = scores[scores["subject"] == "sub-0-0000"]
    assert len(own) == 4 * 2 * len(MEASURES)
    assert set(own["scored_by"]) == {BY_ALL}


def test_few_controls_have_few_knots():
    volumes, scans, quality = draw(35)
    values = volumes.loc[volumes["region"] == "ventricles", "intracranial_share"].to_numpy()
    people = choose_people(scans, quality, SETTINGS)
    norm = fit_region(values, people, SETTINGS)
    assert {len(curve.knots) for curve in (norm.curve, *norm.without.values())} == {3}


def test_a_person_of_a_fold_is_scored_as_if_never_fitted():
    volumes, scans, quality = draw(60)
    people = choose_people(scans, quality, SETTINGS)
    mine = people.folds == 3
    scores = norms_of(volumes, scans, quality).scores
    alone = scans.copy()
    names = people.rows.loc[mine, "subject"]
    alone.loc[alone["subject"].isin(names), "split"] = "test"
    others = norms_of(volumes, alone, quality).scores
    for table in (scores, others):
        table.set_index(["subject", "measure", "region"], inplace=True)  # noqa: PD002
    kept = scores.index.get_level_values("subject").isin(names)
    np.testing.assert_array_equal(
        scores.loc[kept, "z_score"], others.loc[scores.index[kept], "z_score"]
    )


def test_outside_the_ages_of_the_controls_there_are_no_numbers(cohort):
    volumes, scans, quality = draw(60)
    test = scans["subject"].isin(["sub-0-0000", "sub-0-0001"])
    scans.loc[test, "split"] = "test"
    scans.loc[test, "age_years"] = [12.0, 99.0]
    found = norms_of(volumes, scans, quality)
    far = found.scores[found.scores["split"] == "test"]
    assert far["outside_ages"].all()
    assert far[["z_score", "centile"]].isna().all(axis=None)
    known = found.scores[~found.scores["outside_ages"]]
    assert known["z_score"].notna().all()
    ages = scans.loc[~test, "age_years"]
    assert found.curves["age_years"].agg(["min", "max"]).tolist() == [ages.min(), ages.max()]


class TestRefusals:
    """One sentence, and the run goes on."""

    def test_too_few(self, caplog):
        with caplog.at_level(logging.WARNING):
            found = norms_of(*draw(29))
        assert "expected 30 controls of the train split" in found.fits["note"].item()
        assert "found 29" in caplog.text
        assert len(caplog.records) == 1
        assert (list(found.curves), list(found.scores)) == (CURVE_COLUMNS, SCORE_COLUMNS)
        assert len(found.curves) == len(found.scores) == 0

    def test_no_ages(self):
        volumes, scans, quality = draw(40)
        found = norms_of(volumes, scans.assign(age_years=np.nan), quality)
        assert "found 0" in found.fits["note"].item()

    def test_no_volumes(self):
        volumes, scans, quality = draw(40)
        found = norms_of(volumes.iloc[:0], scans, quality)
        assert len(found.curves) == len(found.scores) == 0
        assert "found 0" in found.fits["note"].item()

    def test_some_ages(self):
        volumes, scans, quality = draw(40)
        scans.loc[:4, "age_years"] = np.nan
        found = norms_of(volumes, scans, quality)
        assert set(found.fits["people"]) == {35}
        assert set(found.scores["subject"]) == set(scans["subject"][5:])

    def test_one_sex(self):
        fitted = draw(40, sex="F")
        volumes, scans, quality = together(fitted, draw(10, seed=7, sex="M", split="test"))
        found = norms_of(volumes, scans, quality)
        assert set(found.curves["sex"]) == {"F"}
        men = found.scores[found.scores["sex"] == "M"]
        assert men["z_score"].isna().all()
        assert set(men["note"]) == {"there is no curve of this sex"}

    def test_few_of_a_sex_and_unknown_ones_are_left_out(self):
        few = FEWEST_OF_SEX - 1
        volumes, scans, quality = together(
            draw(40, sex="F"), draw(few, seed=7, sex="M"), draw(3, seed=8, sex=None)
        )
        found = norms_of(volumes, scans, quality)
        assert set(found.fits["people"]) == {40}
        rest = found.scores[found.scores["sex"] != "F"]
        assert rest["z_score"].isna().all()
        assert rest["note"].notna().all()

    def test_no_sex_known(self):
        found = norms_of(*draw(40, sex=None))
        assert found.curves["sex"].isna().all()
        assert found.scores["note"].isna().all()

    def test_constant_and_rare_regions_do_not_stop_the_others(self):
        volumes, scans, quality = draw(40)
        other = volumes[volumes["region"] == "ventricles"]
        constant = other.assign(region="constant", native_volume_mm3=1.0, intracranial_share=0.1)
        rare = other.iloc[:20].assign(region="rare")
        none = other.assign(region="none", native_volume_mm3=0.0, intracranial_share=np.nan)
        found = norms_of(pd.concat([volumes, constant, rare, none]), scans, quality)
        notes = found.fits.groupby("region")["note"].first()
        assert notes["constant"] == "every control has the same value"
        assert notes["rare"] == "expected 30 controls with a value, found 20"
        assert "none" not in notes
        assert set(found.curves["region"]) == {"ventricles", "hippocampus"}


def test_the_table_of_pcntoolkit_has_a_row_per_scan_and_plain_columns():
    volumes, scans, quality = draw(30, visits=2)
    people = choose_people(scans, quality, SETTINGS)
    table = tabulate_for_pcntoolkit(volumes, people)
    assert list(table)[:5] == ["subject_id", "age", "sex", "site", "used"]
    assert len(table) == 60
    assert (table["used"] == "fit").sum() == 30
    assert set(table["site"]) == {"a"}
    scan = table["scan"] == scans["scan"][0]
    wanted = volumes[(volumes["scan"] == scans["scan"][0]) & (volumes["region"] == "ventricles")]
    assert table.loc[scan, "ventricles"].item() == wanted["native_volume_mm3"].item()
    assert table.loc[scan, "ventricles_share"].item() == wanted["intracranial_share"].item()
    assert table.drop(columns="diagnosis").notna().all(axis=None)
