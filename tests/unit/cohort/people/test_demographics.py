import pytest

from brainlapse.cohort.folders.bids import list_dataset
from brainlapse.cohort.people.demographics import read_demographics
from brainlapse.cohort.people.describe import describe_scan, further_columns, normalise_sex


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
        "Gender": "female",  # under the user's names as well
        "Group": "AD",
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


def test_dates_of_scans_tables(dataset, settings):
    for subject in ("sub-01", "sub-02"):
        for session in ("ses-1", "ses-2"):
            dataset.scan(f"{subject}_{session}")
    dataset.table("participants.tsv", "participant_id age\nsub-01 60\nsub-02 70\n")
    rows = {
        "sub-01/ses-1/sub-01_ses-1": ["anat/sub-01_ses-1_T1w.nii.gz 2018-05-01T10:00:00"],
        "sub-01/ses-2/sub-01_ses-2": [
            "func/sub-01_ses-2_task-rest_bold.nii.gz 1900-01-01",
            "anat/sub-01_ses-2_T1w.nii.gz 2021-05-01T10:00:00.123Z",
        ],
        "sub-02/ses-1/sub-02_ses-1": ["anat/another_name.nii.gz 2018-05-02"],
        "sub-02/ses-2/sub-02_ses-2": ["anat/sub-02_ses-2_T1w.nii.gz n/a", "x 2021-05-02"],
    }
    for name, lines in rows.items():
        dataset.table(f"{name}_scans.tsv", "filename acq_time\n" + "\n".join(lines))
    found = [
        describe(dataset, settings, subject, session)
        for subject in ("sub-01", "sub-02")
        for session in ("ses-1", "ses-2")
    ]
    assert [round(row["age_years"], 1) for row in found] == [60, 63, 70, 73]
    assert [row["note"] for row in found] == [None] * 4


def test_dates_of_sessions_tables_go_before_those_of_scans_tables(dataset, settings):
    for session in ("ses-1", "ses-2"):
        dataset.scan(f"sub-01_{session}")
        dataset.table(f"sub-01/{session}/sub-01_{session}_scans.tsv", "filename acq_time\nx 1999\n")
    dataset.table("participants.tsv", "participant_id age\nsub-01 60\n")
    text = "session_id acq_time\nses-1 2018-05-01\nses-2 2021-05-01\n"
    dataset.table("sub-01/sub-01_sessions.tsv", text)
    assert describe(dataset, settings, session="ses-2")["age_years"] == pytest.approx(63, abs=0.01)


def test_unreadable_dates_of_scans_tables_are_said(dataset, settings):
    for session in ("ses-1", "ses-2"):
        dataset.scan(f"sub-01_{session}")
        table = "filename acq_time\nx 10:15:00.5\n"
        dataset.table(f"sub-01/{session}/sub-01_{session}_scans.tsv", table)
    dataset.table("participants.tsv", "participant_id age\nsub-01 60\n")
    row = describe(dataset, settings, session="ses-2")
    assert row["age_years"] is None
    assert "acq_time '10:15:00.5' is no ISO 8601 date" in row["note"]


def test_each_table_has_the_units_of_its_own_sidecar(dataset, settings):
    for session in ("ses-1", "ses-2"):
        dataset.scan(f"sub-01_{session}")
    dataset.scan("sub-02")
    dataset.table("participants.tsv", "participant_id age\nsub-01 1\nsub-02 600\n")
    dataset.table("participants.json", '{"age":{"Units":"month(s)"}}')
    dataset.table("sessions.tsv", "participant_id session_id age\nsub-01 ses-1 60\nsub-01 2 61\n")
    dataset.table("sessions.json", '{"age":{"Units":"years"}}')
    assert describe(dataset, settings, session="ses-2")["age_years"] == 61
    assert describe(dataset, settings, "sub-02")["age_years"] == 50


def test_baseline_ages_on_every_row_are_seen_in_the_data_set_as_a_whole(dataset, settings):
    rows = ["participant_id session_id AGE Years_bl"]
    for number in (1, 2):
        for session, years in (("ses-1", 0), ("ses-2", 2)):
            dataset.scan(f"sub-0{number}_{session}")
            rows.append(f"sub-0{number} {session} 7{number}.5 {years}")
    dataset.scan("sub-03_ses-2")
    rows.append("sub-03 ses-2 80.5 2")
    dataset.table("participants.tsv", "\n".join(rows))
    assert describe(dataset, settings, "sub-02", "ses-2")["age_years"] == 74.5
    assert describe(dataset, settings, "sub-03", "ses-2")["age_years"] == 82.5


def test_a_session_that_only_the_tables_know_is_the_scans(dataset, settings):
    dataset.scan("sub-01")
    text = "participant_id session_id age\nsub-01 ses-1 50\n"
    dataset.table("participants.tsv", text)
    assert describe(dataset, settings)["age_years"] == 50


def test_columns_named_like_ours_are_kept_as_stated():
    row = {name: name for name in ("status", "flagged", "scan_path", "path", "note", "sha256")}
    row |= {"Sex": "M", "gender": "M", "Status": "x", "path_stated": "y", "split": "train"}
    assert further_columns(row) == {
        "status_stated": "status",
        "flagged_stated": "flagged",
        "scan_path_stated": "scan_path",
        "path_stated": "path",
        "note_stated": "note",
        "sha256_stated": "sha256",
        "gender": "M",
        "Status": "x",
        "path_stated_stated": "y",
    }
