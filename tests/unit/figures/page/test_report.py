"""The page stands whatever the run holds."""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brainlapse.figures.page.sections import Run
from brainlapse.figures.page.task_section import task_section
from brainlapse.runtime import write_table
from tests.unit.figures import fake_run
from tests.unit.figures.run_scripts import TASKS, build_report

SPACE = {"voxel_mm": 6.0, "shape": [28, 34, 28]}
FAST = {"dots_per_inch": 50, "picture_width_px": 120, "forecast_subjects": 2}


class Tags(HTMLParser):
    """Collects the tags and addresses of a page."""

    def __init__(self):
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href") and value]


def parse(html: str) -> Tags:
    tags = Tags()
    tags.feed(html)
    return tags


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("results")
    scans = fake_run.write_tables(root)
    fake_run.write_images(root, scans)
    settings = {**FAST, "max_qc_pictures": 5}
    return build_report(root, SPACE, ["sdae"], TASKS, settings).read_text()


@pytest.fixture(scope="module")
def bare_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A run in which nothing worked: tables with headers only, two models, no tasks."""
    root = tmp_path_factory.mktemp("bare results")
    write_table(root / "cohort/scans.tsv", fake_run.fake_scans().iloc[:0])
    return build_report(root, SPACE, ["one", "two"], [], FAST).read_text()


def test_page_needs_no_other_file(page: str) -> None:
    allowed = ("data:image/", "#", "viewer.html")
    assert all(address.startswith(allowed) for address in parse(page).addresses)
    assert not re.search(r"https?://|@import|url\(", page)


def test_names_from_outside_are_escaped(page: str) -> None:
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(&#39;path&#39;)&lt;/script&gt;" in page
    assert parse(page).tags.count("script") == 1


def test_every_section_and_link_target_is_there(page: str, bare_page: str) -> None:
    for html in (page, bare_page):
        anchors = [a[1:] for a in parse(html).addresses if a.startswith("#")]
        assert len(anchors) > 8
        assert all(f'id="{anchor}"' in html for anchor in anchors)


def test_figures_and_numbers_are_shown(page: str) -> None:
    assert page.count("data:image/png") == 18
    assert page.count("data:image/jpeg") == 2  # the flagged and the rejected scan
    assert "It gives no volume of: hippocampus." in page
    assert "Age 999 is impossible" in page
    assert "35</b><span>usable scans" in page
    assert "461" in page


def test_all_models_stand_in_one_table(page: str) -> None:
    heads = re.findall(r"<th scope=\"col\">([^<]*)</th>", page)
    for head in ("SSIM: 6 people of test", "task age mae: 6 people of test"):
        assert head in heads
    assert "No models were compared." not in page


def test_tasks_without_a_map_are_named(page: str) -> None:
    assert "Where they look" in page
    assert "left out: no linear estimator, only svr" in page


def test_suspect_scans_are_shown_and_the_other_page_named(page: str) -> None:
    shown = re.findall(r'class="scan" data-status="(\w+)"', page)
    assert shown == ["rejected", "flagged"]
    assert "open qc.html" in page


def test_visits_are_counted_where_there_are_pairs(page: str, bare_page: str) -> None:
    assert "24 pairs of visits were held against each other" in page
    assert "No visit stands out beside an earlier one of the same person." in page
    assert "pairs of visits" not in bare_page


def test_a_data_set_that_passes_for_the_diagnosis_is_warned_of(page: str) -> None:
    warning = "dataset separates held out people as well as the diagnosis does (silhouette 0.31"
    assert page.count(warning) == 1
    assert "dataset separates train people" not in page
    assert "nobody has one value of site" in page


def test_a_diagnosis_that_is_the_data_set_is_warned_of(page: str) -> None:
    """On the first screen, at the cohort and at its task."""
    warnings = re.findall(r'<div class="warning"><p>diagnosis can&#39;t be told from', page)
    assert len(warnings) == 3
    assert "no table names a site" in page
    assert "refused: of other ages" in page
    assert "4.9" in page


def test_a_region_that_is_given_back_badly_is_listed(page: str) -> None:
    section = page[page.index('id="autoencoders"') :]
    section = section[: section.index("</section>")]
    assert section.count(">5.43<") == 1
    assert section.count(">0.0871<") == 1
    assert "against 12 people of the validation split" in section
    assert "z validation" not in section


def test_one_person_under_two_names_is_a_warning_on_the_first_screen(page: str) -> None:
    words = "demo/sub-01 and clinic/sub-09 look like one person (0.91)"
    assert page.count(words) == 2  # and at the cohort
    assert words in page[: page.index("</section>")]


def test_norms_show_where_groups_lie_and_whether_they_hold(page: str) -> None:
    section = page[page.index('id="norms"') :]
    section = section[: section.index("</section>")]
    assert "mean z" in section
    assert "patient" in section
    assert "Whether the norms hold" in section
    assert "Where groups lie in the yearly change of controls" in section


def test_empty_sections_say_why(bare_page: str) -> None:
    assert "data:image/" not in bare_page
    for sentence in (
        "The cohort is empty",
        "No scan was rejected.",
        "No quality numbers",
        "No loss curves",
        "No reconstructions",
        "No reconstructions to compare",
        "No volume errors",
        "No latent space to show",
        "No walks along components",
        "No models were compared.",
        "No tasks are configured",
        "No forecasts",
        "No volume trajectories",
        "not measured",
        "No regional volumes were measured.",
        "No job has ended.",
        "The separation of groups was not measured.",
        "Data sets, sites and scanners were not audited.",
        "There is one data set, site and scanner only",
        "No norms were fitted.",
        "Yearly change: No norms were fitted.",
        "Regional errors were not compared",
    ):
        assert sentence in bare_page, sentence


def test_cross_sectional_cohort(tmp_path: Path) -> None:
    scans = fake_run.write_tables(tmp_path)
    alone = scans.drop_duplicates("subject").assign(session=None, age_years=np.nan, diagnosis=None)
    alone["scan"] = alone["subject"]
    write_table(tmp_path / "cohort/scans.tsv", alone)
    write_table(tmp_path / "preprocess/qc.tsv", fake_run.fake_quality(alone.reset_index(drop=True)))
    ageing = ("predictions", "errors", "summary", "linearity", "linearity_curves")
    for name in (*ageing, "linearity_summary", "interpolations"):
        path = tmp_path / f"aging/sdae/{name}.tsv"
        write_table(path, pd.read_csv(path, sep="\t").iloc[:0])
    for name in ("autoencoder/sdae/volume_error", "baselines/mean_image_volume_error"):
        path = tmp_path / f"{name}.tsv"
        write_table(path, pd.read_csv(path, sep="\t").iloc[:0])
    table = fake_run.fake_reconstruction(alone).iloc[:0]
    write_table(tmp_path / "autoencoder/sdae/reconstruction.tsv", table)
    html = build_report(tmp_path, SPACE, ["sdae"], TASKS, FAST).read_text()
    assert "No forecasts" in html
    assert "No volume trajectories" in html
    assert html.count('class="scan"') == 2  # cards without a picture: there are no images


def test_heads_stand_with_their_task(tmp_path: Path) -> None:
    row = {"task": "sex", "autoencoder_split": "test", "metric": "roc_auc", "baseline": 0.5}
    rows = [
        {**row, "head": head, "value": value}
        for head, value in (("joint", 0.875), ("frozen", 0.75))
    ]
    write_table(tmp_path / "analysis/one/heads.tsv", pd.DataFrame(rows))
    write_table(tmp_path / "analysis/two/heads.tsv", pd.DataFrame(rows[1:]))
    tasks = (
        {"name": "sex", "target": "sex", "kind": "classification"},
        {"name": "age", "target": "age_years", "kind": "regression"},
    )
    section = task_section(Run(tmp_path, ("one", "two"), tasks, {}))
    shown = [block for block in section.blocks if "joint training costs" in str(block)]
    assert len(shown) == 1, "a task without heads shows a table of them"
    assert "0.875" in str(shown[0])
    assert str(shown[0]).count("frozen") >= 2
