import pytest

from brainlapse.cohort.folders.bids import list_dataset
from brainlapse.cohort.people.demographics import describe_scan, normalise_sex, read_demographics


def describe(dataset, settings, subject="sub-01", session=None):
    tables = read_demographics(list_dataset(dataset.folder))
    return describe_scan(tables, subject, session, settings)


def test_columns_are_mapped_and_further_ones_kept(dataset, settings):
    dataset.scan("sub-01")
    text = "participant_id AGE Gender Group MMSE site path\nsub-01 61,5 female AD n/a A x\n"
    dataset.table("participants.tsv", text)
    row = describe(dataset, settings)
    assert row == {
        "age_years": 61.5,
        "sex": "F",
        "diagnosis": "AD",
        "note": None,
        "site": "A",
        "path_stated": "x",
    }


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_encodings_prefixes_and_delimiters(dataset, settings, encoding):
    dataset.scan("sub-01")
    dataset.table("participants.tsv", "participant_id,age,place\n01,44,Zürich\n", encoding)
    row = describe(dataset, settings)
    assert (row["age_years"], row["place"]) == (44.0, "Zürich")


def test_missing_tables_and_rows_are_notes(dataset, settings):
    dataset.scan("sub-01")
    assert "participants.tsv is missing" in describe(dataset, settings)["note"]
    dataset.table("participants.tsv", "participant_id age\nsub-02 50\n")
    assert "sub-01 is not in participants.tsv" in describe(dataset, settings)["note"]
    dataset.table("participants.tsv", "")
    assert "sub-01 is not in participants.tsv" in describe(dataset, settings)["note"]


def test_specific_tables_go_before_general_ones(dataset, settings):
    dataset.scan("sub-01_ses-1")
    dataset.scan("sub-01_ses-2")
    dataset.table("participants.tsv", "participant_id age sex dx\nsub-01 50 M control\n")
    dataset.table(
        "sessions.tsv", "participant_id session_id age dx\nsub-01 ses-1 51 MCI\nsub-01 2 52 MCI\n"
    )
    dataset.table("sub-01/sub-01_sessions.tsv", "session_id age dx\nses-2 53 AD\n")
    first = describe(dataset, settings, session="ses-1")
    second = describe(dataset, settings, session="ses-2")
    assert (first["age_years"], first["diagnosis"], first["sex"]) == (51, "MCI", "M")
    assert (second["age_years"], second["diagnosis"], second["sex"]) == (53, "AD", "M")


def test_participants_with_a_row_per_session(dataset, settings):
    dataset.scan("sub-01_ses-1")
    dataset.scan("sub-01_ses-2")
    text = "participant_id session_id age sex\nsub-01 ses-1 50 F\nsub-01 ses-2 51 F\n"
    dataset.table("participants.tsv", text)
    assert describe(dataset, settings, session="ses-2")["age_years"] == 51
    assert describe(dataset, settings, session="ses-2")["note"] is None


def test_contradicting_rows_are_left_out_with_a_note(dataset, settings):
    dataset.scan("sub-01")
    dataset.table("participants.tsv", "participant_id age sex\nsub-01 50 F\nsub-01 70 F\n")
    row = describe(dataset, settings)
    assert row["age_years"] is None
    assert row["sex"] == "F"
    assert "2 times with different age" in row["note"]


@pytest.mark.parametrize(
    ("text", "sex"),
    [("m", "M"), ("Male", "M"), ("F", "F"), ("woman", "F"), ("other", None), (None, None)],
)
def test_sex(text, sex):
    assert normalise_sex(text, {}) == (sex, "")


def test_numbers_are_no_sex_without_levels(dataset, settings):
    assert normalise_sex("1", {})[0] is None
    assert "Levels" in normalise_sex("1", {})[1]
    dataset.scan("sub-01")
    dataset.table("participants.tsv", "participant_id sex\nsub-01 1\n")
    dataset.table("participants.json", '{"sex":{"Levels":{"1":"male","2":"female"}}}')
    assert describe(dataset, settings)["sex"] == "M"
    dataset.table("participants.json", "not json")
    assert describe(dataset, settings)["sex"] is None
