"""Tables made up from the headers that the data sets hand out, through to the cohort's ages."""

import json
from pathlib import Path

import pytest

from brainlapse.cohort.folders.bids import list_dataset
from brainlapse.cohort.people.demographics import read_demographics
from brainlapse.cohort.people.describe import describe_sessions
from brainlapse.cohort.settings import CohortSettings
from brainlapse.importers.__main__ import main
from brainlapse.importers.adni import person_key, visit_months
from brainlapse.importers.hcp import middle
from brainlapse.runtime import read_table

IXI = """IXI_ID,"SEX_ID (1=m, 2=f)",HEIGHT,WEIGHT,ETHNIC_ID,MARITAL_ID,OCCUPATION_ID,QUALIFICATION_ID,DOB,DATE_AVAILABLE,STUDY_DATE,AGE
2,2,164,58,1,4,1,5,1970-02-23,1,2005-11-25,35.75359343
12,1,175,70,1,2,1,5,1966-08-20,1,2005-06-01,38.78165640
16,2,0,0,1,2,1,5,,1,,
20,1,180,80,1,2,1,5,1900-01-01,1,2005-01-01,39.46885695
20,2,165,60,1,2,1,5,1901-01-01,1,2005-01-01,33.43
"""  # noqa: E501
HCP = """Subject,Release,Acquisition,Gender,Age,3T_Full_MR_Compl
100206,S900,Q11,M,26-30,true
100307,Q1,Q01,F,22-25,true
100408,Q3,Q03,M,36+,true
100610,S900,Q08,M,31-35,true
"""
HCP_RESTRICTED = """Subject,Age_in_Yrs,HasGT,ZygositySR,Family_ID,Mother_ID,Father_ID
100206,27,TRUE,NotTwin,56037_85858,56037,85858
100307,25,TRUE,MZ,51488_81352,51488,81352
100408,37,TRUE,MZ,51730_81594,51730,81594
"""
OASIS3 = """OASISID,Subject_accession,AgeatEntry,AgeatDeath,GENDER,EDUC,SES,racecode,race,HAND,APOE
OAS30001,CENTRAL_S1,65.15,,2,12,2,5,White,R,23
OAS30002,CENTRAL_S2,67.21,,1,18,1,5,White,R,34
OAS30003,CENTRAL_S3,58.77,,2,16,,5,White,R,33
"""
OASIS3_CLINICAL = """OASISID,OASIS_session_label,days_to_visit,age at visit,MMSE,memory,CDRSUM,CDRTOT,dx1,dx1_code
OAS30001,OAS30001_UDSb4_d0000,0,65.15,28,0,0,0,Cognitively normal,1
OAS30001,OAS30001_UDSb4_d0702,702,67.07,29,0,0,0.5,uncertain dementia,2
OAS30002,OAS30002_UDSb4_d0000,0,67.21,27,0,0,0,Cognitively normal,1
"""  # noqa: E501
ADNI = """RID,COLPROT,ORIGPROT,PTID,SITE,VISCODE,EXAMDATE,DX_bl,AGE,PTGENDER,PTEDUCAT,APOE4,MMSE,CDRSB,DX,Years_bl,Month_bl,Month,M
2,ADNI1,ADNI1,011_S_0002,11,bl,2005-09-08,CN,74.3,Male,16,0,28,0,CN,0,0,0,0
2,ADNI1,ADNI1,011_S_0002,11,m06,2006-03-06,CN,74.3,Male,16,0,28,0,CN,0.490075,5.86885,6,6
2,ADNI1,ADNI1,011_S_0002,11,m36,2008-08-27,CN,74.3,Male,16,0,29,0,MCI,2.96783,35.541,36,36
3,ADNI1,ADNI1,011_S_0003,11,bl,2005-09-12,AD,81.3,Female,18,1,20,4.5,Dementia,0,0,0,0
3,ADNI1,ADNI1,011_S_0003,11,m12,2006-09-12,AD,81.3,Female,18,1,24,6,,0.9993,11.967,12,12
"""  # noqa: E501


@pytest.fixture
def bids(tmp_path):
    def make(*scans):
        for scan in scans:
            subject, _, session = scan.partition("_")
            folder = tmp_path / "bids" / subject / session / "anat"
            folder.mkdir(parents=True)
            (folder / f"{scan}_T1w.nii.gz").touch()
        return tmp_path / "bids"

    return make


@pytest.fixture
def take(tmp_path):
    """Import tables given as text; gives the exit code."""

    def run(kind, text, *arguments, **more):
        files = {"table": text, **more}
        for name, content in files.items():
            (tmp_path / f"{name}.csv").write_text(content)
        extra = [f"--{name}={tmp_path / name}.csv" for name in more]
        return main([kind, str(tmp_path / "table.csv"), *map(str, arguments), *extra])

    return run


def described(folder):
    """What the cohort then knows about each scan of the folder."""
    listing = list_dataset(folder)
    rows = describe_sessions(read_demographics(listing), listing, CohortSettings())
    return {"_".join(filter(None, key)): row for key, row in rows.items()}


def test_ixi(bids, take, caplog):
    folder = bids("sub-IXI002", "sub-IXI012", "sub-IXI016", "sub-IXI020", "sub-IXI999")
    assert take("ixi", IXI, "--bids", folder) == 0
    found = described(folder)
    assert found["sub-IXI002"]["age_years"] == pytest.approx(35.7536, abs=1e-4)
    assert (found["sub-IXI002"]["sex"], found["sub-IXI012"]["sex"]) == ("F", "M")
    assert found["sub-IXI002"]["height_cm"] == "164.0"
    assert found["sub-IXI016"]["age_years"] is None
    assert "height_cm" not in found["sub-IXI016"]  # 0 was taken as missing
    assert found["sub-IXI020"]["age_years"] is None, "listed twice with different ages"
    assert "sub-IXI020 stands 2 times with different age, sex" in caplog.text
    assert "1 people of the folder are not in the table: sub-IXI999" in caplog.text


def test_ixi_as_the_excel_file_that_it_is(bids, caplog):
    pytest.importorskip("xlrd", reason="xlrd, which reads .xls, is not installed")
    folder = bids("sub-IXI012")
    assert main(["ixi", str(Path(__file__).with_name("ixi.xls")), "--bids", str(folder)]) == 0
    assert described(folder)["sub-IXI012"]["age_years"] == pytest.approx(38.7817, abs=1e-4)


@pytest.mark.parametrize("label", ["sub-002", "sub-IXI002Guys0828", "sub-2"])
def test_ixi_with_other_labels(bids, take, label):
    assert take("ixi", IXI, "--bids", bids(label)) == 0
    assert described(bids())[label]["age_years"] == pytest.approx(35.7536, abs=1e-4)


def test_hcp_gives_the_middle_of_ranges(bids, take, caplog):
    folder = bids("sub-100206", "sub-100307", "sub-100408")
    assert take("hcp", HCP, "--bids", folder) == 0
    found = described(folder)
    assert [row["age_years"] for row in found.values()] == [28.5, 24.0, None]
    assert [row["age_range"] for row in found.values()] == ["26-30", "22-25", "36+"]
    assert "1 ages have no upper end" in caplog.text
    assert middle("31-35") == 33.5


def test_hcp_with_the_restricted_table_has_exact_ages_and_families(bids, take):
    folder = bids("sub-100206", "sub-100408")
    assert take("hcp", HCP, "--bids", folder, restricted=HCP_RESTRICTED) == 0
    found = described(folder)
    assert [row["age_years"] for row in found.values()] == [27, 37]
    assert found["sub-100408"]["family_id"] == "51730_81594"


def test_oasis3(bids, take, caplog):
    folder = bids(
        "sub-OAS30001_ses-d0129", "sub-OAS30001_ses-d0757", "sub-OAS30002_ses-d0653",
        "sub-OAS30009_ses-d0001",
    )  # fmt: skip
    assert take("oasis3", OASIS3, "--bids", folder, clinical=OASIS3_CLINICAL) == 0
    found = described(folder)
    ages = [row["age_years"] for row in found.values()]
    assert ages[:3] == pytest.approx([65.5032, 67.2226, 68.9978], abs=1e-3)
    assert ages[3] is None
    assert [row["diagnosis"] for row in found.values()] == [
        "Cognitively normal", "uncertain dementia", None, None,
    ]  # fmt: skip
    assert found["sub-OAS30001_ses-d0757"]["days_to_clinical"] == "-55.0"
    assert [row["sex"] for row in found.values()] == ["F", "F", "M", None]
    assert [row["note"] for row in found.values()][:3] == [None] * 3
    assert "not in the table: sub-OAS30009" in caplog.text


@pytest.mark.parametrize(
    "sessions", [("ses-M000", "ses-M036"), ("ses-bl", "ses-m36"), ("ses-M00", "ses-M36")]
)
def test_adni(bids, take, caplog, sessions):
    folder = bids(*(f"sub-ADNI011S0002_{session}" for session in sessions))
    bids(f"sub-ADNI011S0003_{sessions[0]}", "sub-ADNI011S0003_ses-M120")
    assert take("adni", ADNI, "--bids", folder) == 0
    found = described(folder)
    first, last = (found[f"sub-ADNI011S0002_{session}"] for session in sessions)
    assert (first["age_years"], first["diagnosis"], first["sex"]) == (74.3, "CN", "M")
    assert last["age_years"] == pytest.approx(74.3 + 2.96783, abs=1e-3)
    assert (last["diagnosis"], last["baseline_diagnosis"]) == ("MCI", "CN")
    other = found[f"sub-ADNI011S0003_{sessions[0]}"]
    assert (other["age_years"], other["diagnosis"], other["sex"]) == (81.3, "Dementia", "F")
    assert found["sub-ADNI011S0003_ses-M120"]["age_years"] is None
    assert "1 sessions of the folder are not in the table: sub-ADNI011S0003_ses-M120" in caplog.text


def test_adni_without_a_folder_is_named_as_clinica_does(tmp_path, take):
    assert take("adni", ADNI, "--output", tmp_path) == 0
    sessions = read_table(tmp_path / "sessions.tsv")
    assert sessions["participant_id"].unique().tolist() == ["sub-ADNI011S0002", "sub-ADNI011S0003"]
    assert sessions["session_id"].tolist() == [
        "ses-M000", "ses-M006", "ses-M036", "ses-M000", "ses-M012",
    ]  # fmt: skip
    meanings = json.loads((tmp_path / "sessions.json").read_text())
    assert meanings["age"]["Units"] == "years"


def test_codes_of_adni():
    assert person_key("002_S_0295") == person_key("ADNI002S0295") == "002S0295"
    assert [visit_months(code) for code in ("bl", "m06", "M012", "sc", "uns1")] == [
        0,
        6,
        12,
        0,
        None,
    ]


def test_tables_that_are_there_stay_unless_asked(bids, take, caplog):
    folder = bids("sub-IXI002")
    (folder / "participants.tsv").write_text("mine")
    assert take("ixi", IXI, "--bids", folder) == 2
    assert "there already; move them away, or give --replace" in caplog.text
    assert (folder / "participants.tsv").read_text() == "mine"
    assert take("ixi", IXI, "--bids", folder, "--replace") == 0
    assert (folder / "participants.tsv").read_text() != "mine"


@pytest.mark.parametrize(
    ("text", "found"), [("a,b\n1,2\n", "found a, b; IXI_ID"), ("", "found an empty file")]
)
def test_another_table_is_refused(bids, take, caplog, text, found):
    assert take("ixi", text, "--bids", bids("sub-IXI002")) == 2
    assert found in caplog.text


def test_a_folder_without_subjects_is_refused(tmp_path, take, caplog):
    assert take("ixi", IXI, "--bids", tmp_path) == 2
    assert "expected a BIDS folder" in caplog.text
