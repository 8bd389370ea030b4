"""Steps planted into log volumes are recovered where that can be, and refused where not."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from brainlapse.analysis.sites.steps import STEP_COLUMNS, tabulate_steps

REGIONS = {"ventricles": 0.03, "hippocampus": -0.01}  # change of the log volume a year
STEP = 0.05


def tables(rows, step=STEP, noise=0.01, seed=0):
    """Volumes, scans and quality; ``rows`` has scans with ``shifted``, whose volumes are larger.

    People differ in size and in their rates.
    """
    random = np.random.default_rng(seed)
    scans = pd.DataFrame(rows)
    scans["session"] = [f"ses-{visit}" for visit in scans.pop("visit")]
    scans["scan"] = scans["subject"] + "_" + scans["session"]
    scans["person"] = scans["dataset"] + "/" + scans["subject"]
    parts = []
    for region, rate in REGIONS.items():
        size = scans["person"].map({p: random.normal(0, 0.1) for p in scans["person"].unique()})
        own = scans["person"].map({p: random.normal(0, 0.005) for p in scans["person"].unique()})
        logs = 9 + size + (rate + own) * (scans["age_years"] - 65) + 0.02 * (scans["sex"] == "M")
        logs += np.log1p(step) * scans["shifted"] + random.normal(0, noise, len(scans))
        volumes = scans[["dataset", "subject", "session", "scan"]].assign(
            kind="real", region=region, native_volume_mm3=np.exp(logs)
        )
        parts.append(volumes)
    quality = scans[["dataset", "scan"]].assign(status="accepted")
    return pd.concat(parts, ignore_index=True), scans, quality


def longitudinal(changes, people=60, count=4):
    """Visits of people who change scanner at the visit that ``changes`` gives for their number."""
    random = np.random.default_rng(1)
    return [
        {
            "dataset": "a",
            "subject": f"sub-{number}",
            "visit": visit,
            "age_years": age + 1.2 * visit + random.uniform(0, 0.3),
            "sex": "FM"[number % 2],
            "diagnosis": "control",
            "scanner": "old" if visit < changes(number) else "new",
            "shifted": visit >= changes(number),
        }
        for number, age in enumerate(random.uniform(55, 80, people))
        for visit in range(count)
    ]


def cross_sectional(site, people=300, **columns):
    random = np.random.default_rng(2)
    return [
        {
            "dataset": "a",
            "subject": f"sub-{number}",
            "visit": 1,
            "age_years": age,
            "sex": "FM"[number // 2 % 2],
            "diagnosis": ["control", "patient"][number // 4 % 2],
            "site": site(number),
            "shifted": site(number) == "south",
            **{name: make(number) for name, make in columns.items()},
        }
        for number, age in enumerate(random.uniform(55, 80, people))
    ]


def staggered(number):
    return 1 + number % 3


def test_a_staggered_step_of_5_percent_is_recovered_within_1():
    table = tabulate_steps(*tables(longitudinal(staggered)))
    assert list(table) == STEP_COLUMNS
    assert table["region"].tolist() == list(REGIONS)
    assert set(table["compared"]) == {"within people"}
    newer = table["place"] == "a/new"
    sign = np.where(newer, 1, -1)
    assert (table["step_pct"] * sign).tolist() == pytest.approx([5, 5], abs=1)
    assert (table["step_high_pct"] - table["step_low_pct"] < 3).all()
    assert (table["people"] == 60).all()


def test_the_same_step_is_refused_where_everybody_changes_at_once():
    table = tabulate_steps(*tables(longitudinal(lambda number: 2)))
    assert len(table) == 1
    assert table["step_pct"].isna().all()
    assert (
        table["note"]
        .iloc[0]
        .startswith(
            "refused: a step can't be told from ageing where people change places at the same visit"
        )
    )


def test_a_step_at_once_is_told_from_those_who_keep_their_scanner():
    rows = longitudinal(lambda number: 2 if number % 2 else 9)
    table = tabulate_steps(*tables(rows))
    sign = np.where(table["place"] == "a/new", 1, -1)
    assert (table["step_pct"] * sign).tolist() == pytest.approx([5, 5], abs=1)


def test_intervals_hold_the_step_in_19_of_20_runs_and_none_is_off_by_1_percent():
    held, errors = [], []
    for seed in range(60):
        table = tabulate_steps(*tables(longitudinal(staggered), seed=seed))
        truth = np.where(table["place"] == "a/new", STEP, 1 / (1 + STEP) - 1) * 100
        held += list((table["step_low_pct"] < truth) & (truth < table["step_high_pct"]))
        errors += list(np.abs(table["step_pct"] - truth))
    assert np.mean(held) >= 0.88
    assert max(errors) < 1


def test_few_who_all_change_are_refused_by_their_number():
    table = tabulate_steps(*tables(longitudinal(staggered, people=8)))
    assert table["note"].tolist() == ["refused: fewer than 10 people change between two places"]


def test_within_people_it_is_statsmodels_sandwich():
    volumes, scans, quality = tables(longitudinal(staggered))
    row = tabulate_steps(volumes, scans, quality).iloc[0]
    rows = volumes[volumes["region"] == "ventricles"].merge(scans, on=["dataset", "scan"])
    since = rows["age_years"] - rows.groupby("person")["age_years"].transform("min")
    columns = {"y": np.log(rows["native_volume_mm3"]), "since": since}
    columns["placed"] = (rows["scanner"] == row["place"].removeprefix("a/")).astype(float)
    columns |= {f"visit_{k}": (rows["session_x"] == f"ses-{k}").astype(float) for k in (1, 2, 3)}
    frame = pd.DataFrame(columns)
    frame -= frame.groupby(rows["person"]).transform("mean")
    fit = smf.ols("y ~ placed + since + visit_1 + visit_2 + visit_3 - 1", frame).fit(
        cov_type="cluster", cov_kwds={"groups": rows["person"]}, use_t=True
    )
    expected = 100 * np.expm1([fit.params["placed"], *fit.conf_int().loc["placed"]])
    found = row[["step_pct", "step_low_pct", "step_high_pct"]].astype(float)
    assert found.tolist() == pytest.approx(expected.tolist(), abs=1e-4)


def test_between_people_it_is_statsmodels_least_squares():
    volumes, scans, quality = tables(cross_sectional(lambda k: ["north", "south"][k % 2]))
    table = tabulate_steps(volumes, scans, quality)
    assert set(table["compared"]) == {"between people"}
    row = table.iloc[0]
    rows = volumes[volumes["region"] == "ventricles"].merge(scans, on=["dataset", "scan"])
    rows["y"] = np.log(rows["native_volume_mm3"])
    rows["placed"] = (rows["site"] == row["place"].removeprefix("a/")).astype(float)
    fit = smf.ols("y ~ placed + age_years + I(age_years**2) + sex + diagnosis", rows).fit()
    expected = 100 * np.expm1([fit.params["placed"], *fit.conf_int().loc["placed"]])
    found = row[["step_pct", "step_low_pct", "step_high_pct"]].astype(float)
    assert found.tolist() == pytest.approx(expected.tolist(), abs=1e-4)
    truth = 5 if row["place"] == "a/south" else 100 / 1.05 - 100
    assert (table["step_low_pct"] < truth).all()
    assert (table["step_high_pct"] > truth).all()


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"diagnosis": lambda k: ["control", "patient"][k % 2]}, "can't be told from age, sex"),
        ({"age_years": lambda k: 20 + 40 * (k % 2) + k % 7}, "are of other ages"),
        ({"diagnosis": lambda k: "patient" if k % 2 else None}, "fewer than two places have 5"),
    ],
    ids=["diagnosis", "age", "no diagnosis"],
)
def test_sites_of_other_people_are_refused(columns, words):
    rows = cross_sectional(lambda k: ["north", "south"][k % 2], **columns)
    table = tabulate_steps(*tables(rows))
    assert table["step_pct"].isna().all()
    assert words in table["note"].iloc[0]


def test_rejected_scans_aligned_volumes_and_missing_regions():
    volumes, scans, quality = tables(longitudinal(staggered))
    aligned = volumes.assign(kind="aligned")
    volumes["native_volume_mm3"] *= np.random.default_rng(3).uniform(0.5, 2, len(volumes))
    both = pd.concat([volumes, aligned])
    quality.loc[:3, "status"] = "flagged"  # the visits of the first person
    both.loc[both["region"] == "hippocampus", "native_volume_mm3"] = np.nan
    table = tabulate_steps(both, scans, quality)
    assert table["region"].tolist() == ["ventricles"]
    assert abs(table["step_pct"].iloc[0]) == pytest.approx(5, abs=1)
    assert table["people"].iloc[0] == 59


def test_people_who_span_data_sets_without_sessions_are_compared_within():
    volumes, scans, quality = tables(longitudinal(staggered))
    dataset = dict(zip(scans["scan"], np.where(scans.pop("shifted"), "b", "a"), strict=True))
    for table in (volumes, scans, quality):
        table["dataset"] = table["scan"].map(dataset)
    table = tabulate_steps(volumes, scans.assign(session=None, scanner=None), quality)
    assert set(table["factor"]) == {"dataset"}
    assert table["place"].tolist() == ["b", "b"]
    assert table["step_pct"].tolist() == pytest.approx([5, 5], abs=1)


def test_one_place_and_no_volumes_give_an_empty_table():
    volumes, scans, quality = tables(longitudinal(lambda number: 9))
    table = tabulate_steps(volumes, scans, quality)
    assert list(table) == STEP_COLUMNS
    assert table.empty
    volumes, scans, quality = tables(longitudinal(staggered))
    assert tabulate_steps(volumes.iloc[:0], scans, quality).empty
