import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from brainlapse.cohort.tables import REJECTED_COLUMNS, SCAN_COLUMNS, scan_path
from brainlapse.preprocessing.quality.collection import (
    NUMBERS,
    describe_contract,
    list_rejected,
    tabulate_quality,
)
from brainlapse.preprocessing.quality.fingerprint import BLOCKS, take_fingerprint
from brainlapse.preprocessing.quality.review import Decision
from brainlapse.preprocessing.quality.settings import QualitySettings
from brainlapse.preprocessing.settings import PreprocessSettings
from brainlapse.rejection import Rejection, write_rejection
from brainlapse.runtime import read_table, write_json, write_table
from brainlapse.space import SpaceSettings
from tests.unit.figures.run_scripts import run_script

GOOD = {
    **dict.fromkeys(NUMBERS, 1.0),
    "mask_volume_ml": 1400.0,
    **dict.fromkeys(("shear_xy", "shear_xz", "shear_yz", "dark_slices"), 0.0),
}

MASK = {"way": "deepbet", "score": 1.0, "tried": {"deepbet": {"score": 1.0}}}


@pytest.fixture
def scans():
    return pd.DataFrame(
        {
            "dataset": "ixi",
            "subject": ["sub-1", "sub-2", "sub-3", "sub-4"],
            "session": [None, None, "ses-1", None],
            "scan": ["sub-1", "sub-2", "sub-3_ses-1", "sub-4"],
            "path": ["/a.nii", "/b.nii", "/c.nii", "/d.nii"],
            "split": "train",
        }
    )


@pytest.fixture
def records():
    return [
        {"numbers": GOOD, "mask": MASK},
        Rejection(stage="mask_brain", reason="Expected a head, found nothing."),
        {"numbers": {**GOOD, "contrast": 0.1, "bias_range": 9.0}, "mask": MASK},
        {"numbers": {**GOOD, "template_overlap": 0.3}, "mask": MASK},
    ]


def tabulate(scans, records, review=None, visits=None):
    return tabulate_quality(scans, records, QualitySettings(), review or {}, visits or {})


def test_one_row_per_scan(scans, records):
    table = tabulate(scans, records)
    assert list(table["scan"]) == list(scans["scan"])
    assert list(table["status"]) == ["accepted", "rejected", "flagged", "rejected"]
    assert table.loc[2, "reasons"].startswith("bias field range is 9, above 5: ")
    assert "; contrast of white to grey matter is 0.1" in table.loc[2, "reasons"]
    assert pd.isna(table.loc[0, "reasons"])
    assert list(table["mask_way"].fillna("none")) == ["deepbet", "none", "deepbet", "deepbet"]
    assert table.loc[1, list(NUMBERS)].isna().all()


def test_rejected_scans_keep_path_and_stage(scans, records):
    table = list_rejected(scans, tabulate(scans, records))
    assert list(table.columns) == list(REJECTED_COLUMNS)
    assert list(table["path"]) == ["/b.nii", "/d.nii"]
    assert list(table["stage"]) == ["mask_brain", "collect_quality"]
    assert table["reason"].iloc[0] == "Expected a head, found nothing."
    assert "overlap with the template is 0.3" in table["reason"].iloc[1]


def test_outliers_are_flagged_with_the_limits_reasons_kept():
    count = 12
    names = [f"sub-{number:02d}" for number in range(count)]
    scans = pd.DataFrame({"dataset": "a", "subject": names, "session": None, "scan": names})
    scans["split"] = "apply"
    snr = [20.0 + 0.1 * number for number in range(count)]
    records = [{"numbers": {**GOOD, "white_snr": value}, "mask": MASK} for value in snr]
    records[3]["numbers"]["white_snr"] = 5.0
    records[4]["numbers"].update(white_snr=4.0, contrast=0.1)
    table = tabulate(scans, records)
    assert set(table.index[table["status"] == "flagged"]) == {3, 4}
    assert table.loc[3, "reasons"].startswith("white-matter SNR 5 is far below this cohort's 20.")
    assert table.loc[4, "reasons"].startswith("contrast of white to grey matter is 0.1")
    assert "; white-matter SNR 4 is far below" in table.loc[4, "reasons"]
    kept = tabulate(scans, records, {("a", "sub-03"): Decision("keep", "7 T")})
    assert kept.loc[3, "status"] == "accepted"
    verdicts = ["scan", "status", "stage", "reasons", "largest_z"]
    assert_frame_equal(kept.drop(index=3)[verdicts], table.drop(index=3)[verdicts])


def test_empty_cohort_gives_an_empty_table(scans):
    table = tabulate(scans[:0], [])
    assert table.empty
    assert {"status", "decision", *NUMBERS} <= set(table.columns)


def test_a_person_overrules_flags_and_limits(scans, records):
    review = {
        ("ixi", "sub-1"): Decision("exclude", "moved"),
        ("ixi", "sub-2"): Decision("keep", ""),
        ("ixi", "sub-3_ses-1"): Decision("keep", "looks fine"),
        ("ixi", "sub-4"): Decision("keep", ""),
    }
    table = tabulate(scans, records, review)
    assert list(table["status"]) == ["rejected", "rejected", "accepted", "accepted"]
    assert list(table["decision"]) == ["exclude", "keep", "keep", "keep"]
    assert table.loc[0, ["stage", "reasons", "note"]].tolist() == [
        "qc_review",
        "qc_review.tsv: moved",
        "moved",
    ]
    assert "there is no image" in table.loc[1, "reasons"]
    assert table.loc[2, "reasons"].startswith("qc_review.tsv: looks fine (was flagged: bias")
    rejected = list_rejected(scans, table)
    assert list(rejected["path"]) == ["/a.nii", "/b.nii"]
    assert list(rejected["stage"]) == ["qc_review", "mask_brain"]


def test_columns_are_there_without_rejections(scans, records):
    table = list_rejected(scans[:1], tabulate(scans[:1], records[:1]))
    assert_frame_equal(table.iloc[:0], table)
    assert list(table.columns) == list(REJECTED_COLUMNS)


def test_contract_names_grid_intensity_and_template():
    contract = describe_contract(SpaceSettings(), PreprocessSettings())
    assert contract["grid"]["shape"] == [160, 192, 160]
    assert contract["grid"]["orientation"] == "RAS"
    assert contract["intensity"]["range"] == [0.0, 1.0]
    assert len(contract["template"]["sha256"]) == 64
    assert contract["mask"]["ways"][:2] == ["stripped", "deepbet"]
    assert "antspyx" in contract["versions"]


def test_script_reads_the_decisions(tmp_path, scans, records):
    full = scans.reindex(columns=list(SCAN_COLUMNS))
    write_table(tmp_path / "scans.tsv", full)
    keys = full[["dataset", "subject", "session"]].to_numpy().tolist()
    files = [tmp_path / f"{scan_path(*key)}_qc.json" for key in keys]
    for path, record in zip(files, records, strict=True):
        if isinstance(record, Rejection):
            write_rejection([path], record)
        else:
            brain = np.random.default_rng(len(path.name)).uniform(size=BLOCKS.shape)
            write_json(path, record | {"fingerprint": take_fingerprint(brain, BLOCKS)})
    review = tmp_path / "qc_review.tsv"
    review.write_text("dataset\tscan\tdecision\tnote\nixi\tsub-1\texclude\tmoved\n")
    names = ("table", "visits", "doubles", "rejected", "contract")
    for given, status in (([], "accepted"), ([str(review)], "rejected")):
        run_script(
            "collect_quality",
            input={
                "scans": tmp_path / "scans.tsv",
                "quality": files,
                "review": given,
            },
            output={name: tmp_path / f"{name}.out" for name in names},
            params={"settings": {}, "space": {}},
        )
        assert read_table(tmp_path / "table.out").loc[0, "status"] == status


def test_visits_are_flagged_with_their_reasons(scans, records):
    reasons = {0: ["not the same person as sub-1_ses-1"], 3: ["another"], 1: ["of no account"]}
    table = tabulate(scans, records, visits=reasons)
    assert list(table["status"]) == ["flagged", "rejected", "flagged", "rejected"]
    assert table.loc[0, "reasons"] == "not the same person as sub-1_ses-1"
    assert table.loc[3, "reasons"].endswith("; another")
