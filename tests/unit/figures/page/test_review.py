"""The page on which a person goes through the scans."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brainlapse.figures import tables
from brainlapse.figures.page import review
from brainlapse.runtime import write_table
from tests.unit.figures import fake_run
from tests.unit.figures.run_scripts import run_script

NO_VISITS = pd.DataFrame(columns=tables.VISITS)
NO_PICTURES = review.Pictures({}, {})
PICTURE = "data:image/jpeg;base64,/9j/4AAQ"


@pytest.fixture
def table() -> pd.DataFrame:
    checked = fake_run.fake_quality(fake_run.fake_scans())
    checked["largest_z"] = np.arange(len(checked), dtype=float)
    checked["decision"], checked["note"] = None, None
    return checked


def content_of(page: str) -> dict:
    """Return what the page's script would read."""
    (text,) = re.findall(r'<script type="application/json" id="content">(.*?)</script>', page, re.S)
    return json.loads(text)


def test_page_lists_every_scan_worst_first_and_the_pictures_there_are(table: pd.DataFrame) -> None:
    worst = table.loc[table["status"] == "rejected"].iloc[0]
    pictures = review.Pictures({(worst["dataset"], worst["scan"]): PICTURE}, {})
    page = review.build(table, NO_VISITS, pictures, "t", "c")
    content = content_of(page)
    status = [row[2] for row in content["scans"]]
    assert len(content["scans"]) == len(table)
    assert status[:3] == ["rejected", "flagged", "accepted"]
    assert content["scans"][2][1] == table.iloc[-1]["scan"]  # the largest z
    assert content["pictures"] == {"0": PICTURE}
    assert len(content["scans"][0]) == len(review.TEXTS) + len(content["columns"])


def test_decisions_made_before_are_carried_on(table: pd.DataFrame) -> None:
    table.loc[5, ["decision", "note"]] = ["keep", "wide ventricles"]
    scans = content_of(review.build(table, NO_VISITS, NO_PICTURES, "t", "c"))["scans"]
    (row,) = [row for row in scans if row[4]]
    assert row[4:6] == ["keep", "wide ventricles"]
    assert row[1] == table.loc[5, "scan"]


def test_names_from_outside_stay_text(table: pd.DataFrame) -> None:
    table.loc[0, "scan"] = "</script><script>alert(1)</script>"
    page = review.build(table, NO_VISITS, NO_PICTURES, "<b>title", "c")
    assert page.count("<script") == 2
    assert "<b>title" not in page
    assert any("alert(1)" in row[1] for row in content_of(page)["scans"])


def test_page_needs_no_other_file(table: pd.DataFrame) -> None:
    pictures = dict.fromkeys([("demo", "sub-01_ses-1"), ("demo", "sub-01_ses-2")], PICTURE)
    visits = fake_run.fake_visits(fake_run.fake_scans())
    page = review.build(table, visits, review.Pictures(pictures, pictures), "t", "c")
    assert not re.search(r"https?://|@import|url\(|(?:src|href)=[\"'](?!data:)", page)


def test_missing_numbers_are_null(table: pd.DataFrame) -> None:
    table.loc[4, "mask_dice"] = np.nan
    content = content_of(review.build(table, NO_VISITS, NO_PICTURES, "t", "c"))
    column = len(review.TEXTS) + content["columns"].index("mask dice")
    assert content["scans"][0][column] is None


def test_no_scans_no_rows() -> None:
    assert content_of(review.build(pd.DataFrame(), NO_VISITS, NO_PICTURES, "t", "c"))["scans"] == []


def test_key_follows_the_verdicts(table: pd.DataFrame) -> None:
    before = review.collect(table, NO_VISITS, NO_PICTURES)["key"]
    table.loc[5, "status"] = "flagged"
    assert review.collect(table, NO_VISITS, NO_PICTURES)["key"] != before


def test_pairs_name_both_visits_and_carry_their_numbers(table: pd.DataFrame) -> None:
    visits = fake_run.fake_visits(fake_run.fake_scans())
    visits.loc[0, "findings"] = "voxels of 2.00 times the volume"
    keys = [(visits.loc[0, "dataset"], visits.loc[0, end]) for end in ("scan", "compared_with")]
    pictures = review.Pictures({}, dict.fromkeys(keys, PICTURE))
    content = content_of(review.build(table, visits, pictures, "t", "c"))
    found = content["visits"]
    assert found["columns"] == ["moved [mm]", "correlation"]
    assert len(found["pairs"]) == len(visits)
    later, earlier, joined, findings, *numbers = found["pairs"][0]
    assert [content["scans"][place][1] for place in (later, earlier)] == [key[1] for key in keys]
    assert (joined, findings) == (True, visits.loc[0, "findings"])
    assert numbers == visits.loc[0, ["moved_mm", "correlation"]].tolist()
    assert set(content["brains"]) == {str(later), str(earlier)}


def test_a_pair_whose_visit_is_not_listed_is_left_out(table: pd.DataFrame) -> None:
    visits = fake_run.fake_visits(fake_run.fake_scans())
    visits.loc[0, "compared_with"] = "sub-77_ses-1"
    content = content_of(review.build(table, visits, NO_PICTURES, "t", "c"))
    assert len(content["visits"]["pairs"]) == len(visits) - 1


def test_script_writes_the_page(tmp_path: Path, table: pd.DataFrame) -> None:
    write_table(tmp_path / "qc.tsv", table)
    pictures = tmp_path / "quality"
    pictures.mkdir()
    (pictures / "00000.jpg").write_bytes(b"jpeg")
    (pictures / "00000-brain.jpg").write_bytes(b"brain")
    write_table(tmp_path / "visits.tsv", fake_run.fake_visits(fake_run.fake_scans()))
    name = {"dataset": table.loc[0, "dataset"], "scan": table.loc[0, "scan"]}
    files = {"file": "00000.jpg", "brain_file": "00000-brain.jpg"}
    write_table(pictures / "index.tsv", pd.DataFrame([{**name, **files}]))
    page = tmp_path / "qc.html"
    run_script(
        "write_quality_page",
        input={
            "table": tmp_path / "qc.tsv",
            "visits": tmp_path / "visits.tsv",
            "pictures": str(pictures),
        },
        output={"page": page},
        params={"title": "t", "captions": {}},
    )
    content = content_of(page.read_text())
    assert list(content["pictures"].values()) == ["data:image/jpeg;base64,anBlZw=="]
    assert list(content["brains"].values()) == ["data:image/jpeg;base64,YnJhaW4="]
