"""The docs as a site, opened from a folder: every page, no network, search."""

import re
import subprocess
import sys

import pytest

from tests.browser.conftest import PHONE, WIDE, Page
from tests.conftest import ROOT

pytest.importorskip("mkdocs", reason="needs mkdocs: make test installs it")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def test_pages_load_nothing_from_the_network(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 15
    for page in pages:
        text = page.read_text()
        loaded = re.findall(r"<(?:script|img|iframe)[^>]+src=\"(https?:[^\"]+)", text)
        loaded += re.findall(r"<link[^>]+rel=\"(?!canonical)[^>]+href=\"(https?:[^\"]+)", text)
        assert loaded == [], page.name


def test_links_out_of_the_docs_lead_to_pages_or_are_words(site):
    text = (site / "configuration.html").read_text()
    assert 'href="profiles.html"' in text
    assert "../profiles/README.md" not in text


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_start_page_fits_the_window(chromium, site, size):
    page = Page(chromium, site / "index.html", size)
    assert page.overflow_px() <= 0
    assert "brainlapse" in page.text("h1")
    assert page.errors() == []


def test_search_finds_a_setting(chromium, site):
    page = Page(chromium, site / "index.html")
    page.wait("document.querySelector('.md-search__input')")
    page.click(".md-search__input")
    page.press("max_qc_pictures", ".md-search__input")
    page.wait("document.querySelectorAll('.md-search-result__item').length > 0")
    found = page.run(
        "return [...document.querySelectorAll('.md-search-result__link')].map(a => a.href)"
    )
    assert any("configuration.html" in link for link in found)
    assert page.errors() == []
