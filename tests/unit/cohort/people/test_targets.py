import pytest

from brainlapse.cohort.people.targets import missing_columns


def missing(dataset, *columns, **more):
    task = {"name": "t", "target": columns[0], "covariates": list(columns[1:]), "datasets": None}
    datasets = {"d": {"bids": str(dataset.folder)}, **more}
    return missing_columns([task], datasets)


@pytest.fixture
def clinic(dataset):
    dataset.scan("sub-01")
    dataset.table("participants.tsv", "participant_id Age group gender status MMSE\n")
    dataset.table("sub-01/sub-01_sessions.tsv", "session_id cdr\n")
    return dataset


@pytest.mark.parametrize(
    "column",
    ["group", "diagnosis", "gender", "sex", "age", "age_years", "status", "mmse", "cdr", "dataset"],
)
def test_columns_of_the_users_tables_are_known(clinic, column):
    assert missing(clinic, column) == []


def test_columns_that_no_data_set_has_are_said(clinic):
    (sentence,) = missing(clinic, "nowhere", "age")
    assert sentence.startswith("tasks: t: no table of d has a column 'nowhere'")
    assert missing(clinic, "site") != []
    assert missing(clinic, "site", other={"bids": None}) == []  # simulated ones have it
    assert len(missing(clinic, "a", "b")) == 2


def test_a_folder_that_is_none_is_for_the_cohort_to_say(tmp_path):
    task = {"name": "t", "target": "diagnosis", "covariates": [], "datasets": ["d"]}
    assert missing_columns([task], {"d": {"bids": str(tmp_path / "nowhere")}}) == []
