"""The viewer in a real browser: slider, keys and touch move the picture and the numbers."""

import re
from dataclasses import replace

import numpy as np
import pytest

from brainlapse.figures.viewer import page as viewer
from brainlapse.figures.viewer import people
from tests.browser.conftest import HOSTILE, PHONE, WIDE, Page, start_browser
from tests.unit.figures import fake_ageing, fake_run

LOOK = viewer.Look(f"cohort {HOSTILE}", "sdae", 6.0, (0.0, -20.0, 8.0))
READY = "document.body.dataset.ready"


@pytest.fixture(scope="module")
def shown(run_folder):
    found = people.collect(people.read_source(run_folder, "sdae"), 3, 4)
    return [replace(person, facts=HOSTILE) for person in found]


@pytest.fixture(scope="module")
def path(shown, tmp_path_factory):
    folder = tmp_path_factory.mktemp("viewer")
    pages = viewer.build_pages(shown, LOOK, 25)
    assert set(pages) == {"viewer.html"}
    (folder / "viewer.html").write_text(pages["viewer.html"])
    return folder / "viewer.html"


@pytest.fixture
def page(chromium, path):
    opened = Page(chromium, path)
    opened.wait(READY)
    yield opened
    assert opened.errors() == []


def drawn(page, action):
    """Do something and wait until the page was drawn again."""
    before = page.run("return document.body.dataset.drawn")
    action()
    page.wait(f"document.body.dataset.drawn !== '{before}'")
    return page.pixels("#brain")


def slide(page, age_years):
    return drawn(
        page,
        lambda: page.run(
            "const s = document.getElementById('age'); s.value = arguments[0];"
            "s.dispatchEvent(new Event('input'));",
            age_years,
        ),
    )


def row(page, region):
    lines = [line for line in page.text("#numbers").splitlines() if line.startswith(region)]
    return lines[0]


def test_slider_changes_the_picture_and_the_numbers(page, shown):
    """A scan is 1, its reconstruction 0.95, a forecast 0.9 of the brain's intensity."""
    series = shown[0].series[0]
    start, end = series.start.age_years, series.frames[-1].age_years
    last, first = slide(page, end), None
    numbers = row(page, "ventricles")
    assert page.text("#years") == f"{end:.1f} years"
    assert page.text("#what") == f"Forecast for {end:.1f} years"
    middle = slide(page, (start + end) / 2)
    assert "blended between the decoded ages" in page.text("#what")
    assert row(page, "ventricles") != numbers
    first = slide(page, start)
    assert page.text("#what").startswith("Scan at")
    bright = first.max(axis=2) > 100
    shares = [(picture[bright] / first[bright]).mean() for picture in (first, middle, last)]
    assert shares == pytest.approx([1, 0.925, 0.9], abs=0.012)


def test_a_new_age_is_painted_as_niivue_would(page, shown):
    series = shown[0].series[0]
    for age in (series.start.age_years, (series.start.age_years + series.frames[0].age_years) / 2):
        painted = slide(page, age)
        page.run("brain.nv.updateGLVolume()")
        np.testing.assert_allclose(page.pixels("#brain"), painted, atol=2)


def test_numbers_are_those_of_the_tables(page, shown):
    visit, end = shown[0].visits[-1], shown[0].series[0].frames[-1]
    assert visit.age_years == pytest.approx(end.age_years)
    slide(page, end.age_years)
    forecast, measured = map(float, row(page, "ventricles").split()[1:3])
    expected = fake_ageing.volume_at("ventricles", end.age_years) / 1000
    assert forecast == pytest.approx(expected, rel=0.005)
    assert measured == pytest.approx(
        dict(shown[0].measured["ventricles"])[visit.age_years], rel=0.005
    )


def test_flip_shows_what_came_true(page, shown):
    end = shown[0].series[0].frames[-1].age_years
    forecast = slide(page, end)
    true = drawn(page, lambda: page.press(" "))
    assert "what came true" in page.text("#what")
    assert true.mean() > forecast.mean() * 1.05
    again = drawn(page, lambda: page.click("#flip"))
    np.testing.assert_allclose(again, forecast, atol=3)


def test_keys(page, shown):
    ages = [visit.age_years for visit in shown[0].visits]
    assert page.text("#years") == f"{ages[-1]:.1f} years"
    drawn(page, lambda: page.press("p"))
    assert page.text("#years") == f"{ages[-2]:.1f} years"
    drawn(page, lambda: page.press("\ue012"))  # arrow to the left
    assert float(page.text("#years").split()[0]) < ages[-2]
    plain = page.pixels("#brain")
    labelled = drawn(page, lambda: page.press("c"))
    assert page.run("return document.getElementById('legend-change').hidden") is False
    assert labelled.shape == plain.shape
    before = page.run("return document.getElementById('person').value")
    drawn(page, lambda: page.press("]"))
    assert page.run("return document.getElementById('person').value") != before


def test_change_map_is_blue_where_the_forecast_is_darker(page, shown):
    plain = slide(page, shown[0].series[0].frames[-1].age_years)
    coloured = drawn(page, lambda: page.click("#change"))
    blue = coloured[..., 2] - coloured[..., 0]
    inside = plain.max(axis=2) > 150
    assert (blue[inside] > 20).mean() > 0.9
    assert (np.abs(blue[plain.max(axis=2) < 5]) < 20).mean() > 0.95


def test_text_stays_text(page):
    assert page.run("return document.title") == f"cohort {HOSTILE}: viewer"
    assert page.text("#facts") == HOSTILE
    assert page.run("return document.querySelectorAll('#facts img, h1 img').length") == 0


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_page_fits_the_window(chromium, path, size):
    page = Page(chromium, path, size)
    page.wait(READY)
    assert page.overflow_px() <= 0
    canvas = page.pixels("#brain")
    assert (canvas.max(axis=2) > 100).mean() > 0.05
    assert page.errors() == []


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_table_with_intervals_fits_its_column(chromium, shown, size, tmp_path):
    banded = tuple(
        replace(one, volumes={
            region: [(age, ml, 0.9 * ml, 1.1 * ml) for age, ml, *_ in points]
            for region, points in one.volumes.items()
        })
        for one in shown[0].series
    )  # fmt: skip
    people_ = [replace(shown[0], series=banded)]
    (tmp_path / "viewer.html").write_text(viewer.build_pages(people_, LOOK, 25)["viewer.html"])
    page = Page(chromium, tmp_path / "viewer.html", size)
    page.wait(READY)
    slide(page, banded[0].frames[-1].age_years)
    assert " to " in row(page, "ventricles")
    wider = "const s = document.querySelector('.scroll'); return s.scrollWidth - s.clientWidth"
    assert page.run(wider) <= 0
    assert page.overflow_px() <= 0


def test_touch_moves_to_a_visit(chromium, path, shown):
    page = Page(chromium, path, PHONE)
    page.wait(READY)
    chromium.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    box = page.run(
        "const b = document.querySelector('#visits button'); b.scrollIntoView({block: 'center'});"
        "const r = b.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]"
    )
    points = [{"x": box[0], "y": box[1]}]

    def tap():
        for kind, where in (("touchStart", points), ("touchEnd", [])):
            chromium.execute_cdp_cmd(
                "Input.dispatchTouchEvent", {"type": kind, "touchPoints": where}
            )

    drawn(page, tap)
    chromium.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})
    assert page.text("#years") == f"{shown[0].visits[0].age_years:.1f} years"


def test_more_people_go_to_more_pages(chromium, shown, tmp_path, monkeypatch):
    monkeypatch.setattr(viewer, "_fixed_size", lambda: 25e6 - 1)  # no room: a page for each
    pages = viewer.build_pages(shown, LOOK, 25)
    assert list(pages) == ["viewer.html", "viewer/2.html", "viewer/3.html"]
    (tmp_path / "viewer").mkdir()
    for name, html in pages.items():
        (tmp_path / name).write_text(html)
    page = Page(chromium, tmp_path / "viewer.html")
    page.wait(READY)
    page.press("]")
    page.wait("location.pathname.endsWith('viewer/2.html') && " + READY)
    assert page.run("return document.getElementById('person').value") == shown[1].key
    page.press("[")
    page.wait("location.pathname.endsWith('viewer.html') && " + READY)
    assert page.errors() == []


def test_nobody_to_show_is_said(chromium, tmp_path):
    path = tmp_path / "viewer.html"
    path.write_text(viewer.build_pages([], LOOK, 25)["viewer.html"])
    page = Page(chromium, path)
    assert "Nobody to show" in page.text("body")
    assert page.errors() == []


def test_without_webgl_the_strip_and_the_numbers_remain(path, shown, tmp_path):
    browser = start_browser(tmp_path / "profile", "--disable-3d-apis")
    try:
        page = Page(browser, path)
        page.wait(READY)
        assert "no WebGL 2" in page.text("#flat")
        page.click("#still summary")
        assert page.pixels("#strip").max() > 150
        assert re.search(r"last scan seen at [\d.]+ years", page.text("#strip-words"))
        before = page.text("#numbers")
        page.press("p")
        page.wait("document.body.dataset.drawn > 1")
        assert page.text("#numbers") != before
        assert page.errors() == []
    finally:
        browser.quit()


def test_empty_run_has_nobody(tmp_path):
    assert people.collect(people.read_source(tmp_path, "sdae"), 3, 4) == []


def test_cross_sectional_people_have_no_series(tmp_path):
    scans = fake_run.write_tables(tmp_path)
    fake_run.write_images(tmp_path, scans)
    source = people.read_source(tmp_path, "sdae")
    source = replace(source, predictions=source.predictions.iloc[:0])
    found = people.collect(source, 2, 4)
    assert [person.series for person in found] == [(), ()]
    assert viewer.build_pages(found, LOOK, 25)["viewer.html"].count("Scan at") == 1
