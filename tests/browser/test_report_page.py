"""The report in a real browser."""

import pandas as pd
import pytest
from PIL import Image

from brainlapse.figures.page import report
from brainlapse.figures.page.sections import Run
from brainlapse.figures.settings import ReportSettings
from brainlapse.runtime import read_table, write_table
from tests.browser.conftest import HOSTILE, PHONE, WIDE, Page
from tests.unit.figures.run_scripts import TASKS

FIGURES = ("cohort", "quality", "image_errors", "volume_errors")
OF_MODEL = ("training", "reconstructions", "latents", "forecasts", "trajectories", "errors")


@pytest.fixture(scope="module")
def path(run_folder):
    scans = run_folder / "cohort/scans.tsv"
    table = read_table(scans)
    table.loc[3, "note"] = HOSTILE
    write_table(scans, table)
    for name in (*FIGURES, *(f"sdae/{name}" for name in OF_MODEL)):
        figure = run_folder / f"report/figures/{name}.png"
        figure.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (1056, 330), "white").save(figure)
    run = Run(run_folder, ("sdae",), tuple(TASKS), {})
    settings = ReportSettings(title=f"cohort {HOSTILE}")
    page = run_folder / "report/index.html"
    config = {"segmentation": {"backend": "native", "weights": ""}}
    page.write_text(report.build(run, settings, config, {"brainlapse": "1"}, {}))
    return page


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_page_opens_fits_and_keeps_text_as_text(chromium, path, size):
    page = Page(chromium, path, size)
    assert page.overflow_px() <= 0
    assert page.run("return document.title") == f"cohort {HOSTILE}"
    assert page.run("return document.querySelectorAll('td img, h1 img').length") == 0
    assert HOSTILE in page.run("return document.getElementById('cohort').textContent")
    pictures = page.run("return [...document.querySelectorAll('figure img')].map(i => i.src)")
    assert len(pictures) > 8
    assert all(picture.startswith("data:image/") for picture in pictures)
    assert page.errors() == []


def test_click_on_a_heading_sorts_by_number(chromium, path):
    page = Page(chromium, path)
    values = """
      const table = [...document.querySelectorAll('table')].find(t =>
        [...t.tHead.rows[0].cells].some(c => c.textContent === 'mask volume [ml]'));
      const column = [...table.tHead.rows[0].cells].findIndex(c => c.textContent === 'mask volume [ml]');
      if (arguments[0]) table.tHead.rows[0].cells[column].click();
      return [...table.tBodies[0].rows].map(r => Number(r.cells[column].dataset.number));
    """  # noqa: E501
    assert not pd.Series(page.run(values, False)).is_monotonic_increasing
    assert pd.Series(page.run(values, True)).is_monotonic_increasing
    assert pd.Series(page.run(values, True)).is_monotonic_decreasing
    assert page.errors() == []
