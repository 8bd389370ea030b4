"""The audit of places: planted confounds are found, and nothing else is."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy.stats import chi2_contingency

from brainlapse.analysis.sites.audit import AUDIT_COLUMNS, audit_places, have_gap

PEOPLE = 120


def cohort(**columns):
    """One scan of each person; columns are functions of the person's number."""
    random = np.random.default_rng(0)
    numbers = np.arange(PEOPLE)
    table = pd.DataFrame(
        {
            "dataset": np.where(numbers % 2, "a", "b"),
            "subject": [f"sub-{number}" for number in numbers],
            "person": [f"p/sub-{number}" for number in numbers],
            "session": None,
            "scan": [f"sub-{number}" for number in numbers],
            "age_years": random.uniform(40, 80, PEOPLE),
            "sex": random.choice(["F", "M"], PEOPLE),
            "diagnosis": random.choice(["control", "patient"], PEOPLE),
            "role": "fit",
            "split": random.choice(["train", "test"], PEOPLE),
        }
    )
    return table.assign(
        **{name: [make(k) for k in range(PEOPLE)] for name, make in columns.items()}
    )


def verdicts(table, factor="dataset"):
    rows = table[(table["factor"] == factor) & table["task"].isna()]
    return dict(zip(rows["against"], rows["verdict"], strict=True))


def find(table, factor, against):
    return table[(table["factor"] == factor) & (table["against"] == against)].iloc[0]


def test_a_balanced_cohort_has_nothing_to_say():
    table = audit_places(cohort(), [], seed=0)
    assert list(table) == AUDIT_COLUMNS
    of_dataset = verdicts(table)
    assert of_dataset.pop("time") == "unknown"
    assert of_dataset == dict.fromkeys(["diagnosis", "sex", "age_years", "split"], "apart")
    rest = table[table["factor"] != "dataset"]
    assert rest["finding"].tolist() == ["no table names a site", "no table names a scanner"]


@pytest.mark.parametrize("column", ["diagnosis", "sex", "split"])
def test_groups_that_are_the_places_are_confounded(column):
    table = audit_places(cohort(**{column: lambda number: "xy"[number % 2]}), [], seed=0)
    assert [name for name, verdict in verdicts(table).items() if verdict == "confounded"] == [
        column
    ]
    row = find(table, "dataset", column)
    assert row["association"] == 1
    assert row["finding"].startswith(f"{column} can't be told from dataset: ")


def test_rank_finds_what_no_pair_of_columns_shows():
    """Sites 1 and 2 hold only controls, 3 and 4 only patients; no column is another."""
    rows = cohort(Site=lambda k: k % 4, diagnosis=lambda k: ["control", "patient"][k % 4 > 1])
    assert verdicts(audit_places(rows, [], 0), "site")["diagnosis"] == "confounded"
    linked = cohort(
        Site=lambda k: k % 4,
        diagnosis=lambda k: ["control", "patient"][k % 4 > 1 or k % 8 == 1],
    )
    assert verdicts(audit_places(linked, [], 0), "site")["diagnosis"] == "associated"


def test_one_patient_elsewhere_makes_no_link():
    rows = cohort(diagnosis=lambda k: ["control", "patient"][k % 2 or k == 0])
    row = find(audit_places(rows, [], 0), "dataset", "diagnosis")
    assert row["association"] < 1
    assert row["verdict"] == "confounded"


def test_numbers_are_those_of_scipy_and_statsmodels():
    rows = cohort(diagnosis=lambda k: "xyz"[k % 3] if k % 5 else "x")
    rows["age_years"] += 3 * (rows["dataset"] == "a")
    table = audit_places(rows, [], seed=0)
    counts = pd.crosstab(rows["dataset"], rows["diagnosis"])
    v = np.sqrt(chi2_contingency(counts, correction=False).statistic / PEOPLE)
    assert find(table, "dataset", "diagnosis")["association"] == pytest.approx(v, abs=1e-6)
    fit = smf.ols("age_years ~ dataset", rows).fit()
    row = find(table, "dataset", "age_years")
    assert row["association"] == pytest.approx(fit.rsquared, abs=1e-6)
    assert row["p_value"] == pytest.approx(fit.f_pvalue, abs=0.03)


def test_ages_with_a_gap_between_data_sets_are_confounded():
    rows = cohort(age_years=lambda k: (60 if k % 2 else 20) + k / 10)
    assert find(audit_places(rows, [], 0), "dataset", "age_years")["verdict"] == "confounded"
    wide = cohort(age_years=lambda k: 20 + k / 2 + 15 * (k % 2))
    assert find(audit_places(wide, [], 0), "dataset", "age_years")["verdict"] == "associated"


def test_a_place_that_spans_all_ages_closes_a_gap():
    places = pd.Series(["young"] * 20 + ["old"] * 20 + ["all"] * 20)
    ages = pd.Series([*np.linspace(20, 30, 20), *np.linspace(60, 70, 20), *np.linspace(20, 70, 20)])
    assert not have_gap(places, ages)
    assert have_gap(places[:40], ages[:40])


def test_the_split_is_audited_among_what_trains():
    rows = cohort()
    clinic = rows.assign(dataset="clinic", role="apply", split="apply")
    clinic["person"] = clinic["person"].str.replace("p/", "q/")
    row = find(audit_places(pd.concat([rows, clinic]), [], 0), "dataset", "split")
    assert (row["verdict"], row["groups"]) == ("apart", 2)


def test_a_task_is_audited_among_its_own_scans():
    rows = cohort(
        diagnosis=lambda k: "control" if k % 2 else ["control", "patient"][k // 2 % 2],
        Site=lambda k: f"s{k % 4}",
    )
    asked = {"target": "diagnosis", "classes": ["control", "patient"]}
    tasks = [
        {"name": "both", "datasets": None, **asked},
        {"name": "one", "datasets": ["b"], **asked},
        {"name": "place", "target": "Site"},
        {"name": "typo", "target": "nothing"},
    ]
    table = audit_places(rows, tasks, seed=0).dropna(subset=["task"])
    assert set(zip(table["task"], table["factor"], strict=True)) == {
        ("both", "dataset"), ("both", "site"), ("one", "site"),
    }  # fmt: skip
    found = table.set_index(["task", "factor"])["verdict"]
    assert found["one", "site"] == "confounded"  # site s0 has the controls of b, s2 the patients


def test_places_of_few_people_and_missing_columns_give_a_sentence():
    rows = cohort(dataset=lambda k: "a" if k > 1 else "rare").drop(columns="diagnosis")
    table = audit_places(rows, [], 0)
    for against in ("sex", "diagnosis"):
        row = find(table, "dataset", against)
        assert row["verdict"] == "unknown"
        assert row["finding"].startswith(f"expected {against} of 3 people in each of two places")


def test_an_empty_cohort_and_one_without_ages_have_tables():
    assert set(audit_places(cohort().iloc[:0], [], 0)["verdict"]) == {"unknown"}
    rows = cohort().assign(age_years=np.nan, sex=None)
    assert verdicts(audit_places(rows, [], 0))["age_years"] == "unknown"


def visits(changes, count=4):
    """Scans of 40 people; ``changes(number)`` is the visit at which a person changes scanner."""
    rows = cohort().head(40)
    table = pd.concat([rows.assign(visit=visit) for visit in range(count)], ignore_index=True)
    number = table["subject"].str.removeprefix("sub-").astype(int)
    table["session"] = [f"ses-{visit}" for visit in table["visit"]]
    table["scan"] = table["subject"] + "_" + table["session"]
    table["age_years"] += table["visit"] * 1.5
    late = table["visit"] >= number.map(changes)
    return table.assign(scanner=np.where(late, "new", "old"))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (lambda number: 2, "confounded"),
        (lambda number: 1 if number == 0 else 2, "confounded"),
        (lambda number: 1 + number % 3, "apart"),
        (lambda number: 2 if number % 2 else 9, "apart"),
        (lambda number: 9 if number % 2 else 0, "unknown"),
    ],
    ids=["all at once", "all but one", "staggered", "half of them", "nobody"],
)
def test_scanners_that_everybody_changes_at_once_are_confounded_with_time(changes, expected):
    table = audit_places(visits(changes), [], seed=0)
    assert find(table, "scanner", "time")["verdict"] == expected


def test_a_visit_that_a_few_missed_does_not_stagger_the_others():
    rows = visits(lambda number: 2)
    missed = (rows["visit"] == 1) & rows["subject"].isin([f"sub-{k}" for k in range(15)])
    assert find(audit_places(rows[~missed], [], 0), "scanner", "time")["verdict"] == "confounded"


def test_same_seed_same_table():
    first, second = (audit_places(cohort(), [], seed=5) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
