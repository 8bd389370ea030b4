"""The page on which a person goes through the scans, in a real browser."""

import time

import numpy as np
import pytest

from brainlapse.figures.page import review
from brainlapse.preprocessing.quality.review import read_review
from brainlapse.runtime import read_table
from tests.browser.conftest import HOSTILE, PHONE, WIDE, Page
from tests.unit.figures import fake_run

PICTURE = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='48' height='36'%3E"
    "%3Crect width='48' height='36' fill='%23fff'/%3E%3C/svg%3E"
)


@pytest.fixture(scope="module")
def table():
    checked = fake_run.fake_quality(fake_run.fake_scans())
    checked["largest_z"] = np.arange(len(checked), dtype=float)
    checked.loc[2, "reasons"] = HOSTILE
    return checked.rename(columns={"mask_dice": HOSTILE})


def brains(table):
    """A brain of its own grey for each scan."""
    greys = np.linspace(40, 220, len(table)).astype(int)
    keys = zip(table["dataset"], table["scan"], strict=True)
    return {
        key: PICTURE.replace("%23fff", f"rgb({grey},{grey},{grey})")
        for key, grey in zip(keys, greys, strict=True)
    }


@pytest.fixture(scope="module")
def path(table, tmp_path_factory):
    keys = list(zip(table["dataset"], table["scan"], strict=True))
    pictures = review.Pictures(dict.fromkeys(keys, PICTURE), brains(table))
    visits = fake_run.fake_visits(fake_run.fake_scans())
    visits.loc[0, "findings"] = HOSTILE
    page = tmp_path_factory.mktemp("quality") / "qc.html"
    page.write_text(review.build(table, visits, pictures, f"cohort {HOSTILE}", "caption"))
    return page


def test_decisions_are_made_by_keys_and_feed_the_next_run(chromium, path, run_folder, tmp_path):
    page = Page(chromium, path)
    first = page.text("#name").split(" / ")
    assert page.text("#status") == "rejected"
    assert page.pixels("#picture").mean() > 250
    page.press("x")
    second = page.text("#name").split(" / ")
    assert second != first
    page.press("n")
    page.press("wide ventricles", "#note")
    page.press("\ue007", "#note")
    page.press("y")
    behaviour = {"behavior": "allow", "downloadPath": str(tmp_path)}
    chromium.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)
    page.click("#download")
    found = tmp_path / "qc_review.tsv"
    end = time.monotonic() + 20
    while not found.is_file():
        assert time.monotonic() < end, "nothing was downloaded"
        time.sleep(0.05)
    decisions = read_review(found, read_table(run_folder / "cohort/scans.tsv"))
    assert decisions[tuple(first)].decision == "exclude"
    assert decisions[tuple(second)].decision == "keep"
    assert decisions[tuple(second)].note == "wide ventricles"
    assert page.errors() == []


def test_undecided_and_filters(chromium, path):
    page = Page(chromium, path)
    page.run("localStorage.clear(); location.reload()")
    page.wait("document.getElementById('name').textContent")
    page.press("x")
    assert "1 decided" in page.text("#count")
    page.press("k")
    page.press("u")
    assert "0 decided" in page.text("#count")
    page.click("[data-show=suspect]")
    assert page.text("#count").startswith("2 of")
    assert page.errors() == []


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_page_fits_and_text_stays_text(chromium, path, size):
    page = Page(chromium, path, size)
    assert page.overflow_px() <= 0
    assert page.run("return document.title") == f"cohort {HOSTILE}: quality"
    page.press("j")
    assert page.text("#reasons") == HOSTILE
    assert HOSTILE in page.run("return document.getElementById('heads').textContent")
    assert page.run("return document.querySelectorAll('#list img, #reasons img').length") == 0
    assert page.errors() == []


def test_a_key_flips_between_two_visits(chromium, path):
    page = Page(chromium, path)
    page.run("localStorage.clear(); location.reload()")
    page.wait("document.getElementById('name').textContent")
    page.press("sub-02_ses-2", "#search")
    page.press("\ue007", "#search")
    page.click("#rows tr")
    own = page.text("#name").split(" / ")[1]
    assert page.text("#against") == f"{own} joined {own[:6]}_ses-1"
    assert "moved [mm]" in page.text("#compared")
    page.press("v")
    assert page.text("#shows") == f"shown: {own[:6]}_ses-1"
    earlier = page.pixels("#picture").mean()
    page.press("v")
    assert page.text("#shows") == f"shown: {own}"
    later = page.pixels("#picture").mean()
    assert abs(earlier - later) > 5
    page.press("v")
    assert page.pixels("#picture").mean() == earlier
    assert page.errors() == []


def test_without_pictures_of_both_there_is_nothing_to_flip(chromium, table, tmp_path):
    visits = fake_run.fake_visits(fake_run.fake_scans())
    page_file = tmp_path / "qc.html"
    one = dict([brains(table).popitem()])
    page_file.write_text(review.build(table, visits, review.Pictures({}, one), "t", "c"))
    page = Page(chromium, page_file)
    page.press("v")
    assert page.run("return document.getElementById('flip').disabled")
    assert page.text("#shows") == ""
    assert page.errors() == []
