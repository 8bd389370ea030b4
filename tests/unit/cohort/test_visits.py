import pandas as pd

from brainlapse.cohort.visits import paths_before, visit_order


def scans(sessions, ages, subject="sub-1"):
    names = [f"{subject}_{session}" for session in sessions]
    return pd.DataFrame(
        {
            "dataset": "a",
            "subject": subject,
            "session": sessions,
            "scan": names,
            "age_years": ages,
            "scan_path": [f"a/{subject}/{name}" for name in names],
        }
    )


def test_visits_follow_the_ages():
    table = scans(["ses-1", "ses-2", "ses-3"], [50.0, 48.0, 52.0])
    assert [table.loc[row, "session"] for row in visit_order(table)] == ["ses-2", "ses-1", "ses-3"]


def test_without_an_age_they_follow_the_numbers_in_the_names():
    table = scans(["ses-m12", "ses-m6", "ses-m120", "ses-m0"], [1.0, None, 3.0, 4.0])
    ordered = [table.loc[row, "session"] for row in visit_order(table)]
    assert ordered == ["ses-m0", "ses-m6", "ses-m12", "ses-m120"]


def test_a_visit_knows_the_earlier_ones_only():
    table = pd.concat(
        [scans(["ses-1", "ses-2", "ses-3"], [1.0, 2, 3]), scans(["ses-1"], [4.0], "sub-2")],
        ignore_index=True,
    )
    assert paths_before(table) == {
        "a/sub-1/sub-1_ses-2": ["a/sub-1/sub-1_ses-1"],
        "a/sub-1/sub-1_ses-3": ["a/sub-1/sub-1_ses-1", "a/sub-1/sub-1_ses-2"],
    }
    shorter = paths_before(table[table["session"] != "ses-3"])
    assert shorter == {"a/sub-1/sub-1_ses-2": ["a/sub-1/sub-1_ses-1"]}


def test_an_excluded_visit_comes_before_nobody():
    table = scans(["ses-1", "ses-2", "ses-3"], [1.0, 2, 3])
    found = paths_before(table, {("a", "sub-1_ses-1")})
    assert found == {"a/sub-1/sub-1_ses-3": ["a/sub-1/sub-1_ses-2"]}
