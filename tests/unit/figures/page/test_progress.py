"""The page of what a run has done so far."""

import subprocess
import sys

import yaml

from brainlapse.figures.page.__main__ import write_progress
from brainlapse.runtime import write_table
from tests.conftest import ROOT
from tests.unit.figures import fake_run
from tests.unit.figures.page.test_methods import shipped


def test_page_of_a_run_that_goes_on(tmp_path):
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(shipped()))
    write_table(tmp_path / "cohort/scans.tsv", fake_run.fake_scans())
    page = write_progress(tmp_path).read_text()
    assert "36 scans of 12 people" in page
    assert "so far" in page
    assert "No quality numbers" in page


def test_folder_without_a_run_is_said_in_one_sentence(tmp_path):
    command = [sys.executable, "-m", "brainlapse.figures.page", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert "expected the output folder of a run" in done.stderr
    assert "Traceback" not in done.stderr
