"""Costs: every job writes its own at the end of its log; logs of failed jobs hold none."""

import subprocess
import sys

import pytest

from brainlapse.operations.costs import gather_costs

JOB = """
from types import SimpleNamespace
from brainlapse import runtime
runtime.start(SimpleNamespace(log=[{log!r}], threads=1))
kept = bytearray({mb} * 2**20)
sum(range(5_000_000))
{end}
"""


def run_job(log, mb=1, end=""):
    code = JOB.format(log=str(log), mb=mb, end=end)
    subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)


def test_a_job_writes_what_it_cost(tmp_path):
    run_job(tmp_path / "mask_brain/a.log", mb=300)
    run_job(tmp_path / "mask_brain/b.log")
    run_job(tmp_path / "mask_brain/c.log", end="raise ValueError(1)")
    run_job(tmp_path / "collect.log", end="import subprocess; subprocess.run(['true'])")
    table = gather_costs(tmp_path, scans=2).set_index("rule")
    assert table["jobs"].to_dict() == {"mask_brain": 2, "collect": 1}
    assert 300 < table.loc["mask_brain", "most memory [MB]"] < 600
    per_scan = table.loc["mask_brain", "CPU s per scan"]
    assert per_scan == pytest.approx(table.loc["mask_brain", "CPU [min]"] * 60 / 2)
    assert per_scan > 0.05


def test_a_run_without_logs_has_no_costs(tmp_path):
    assert gather_costs(tmp_path, scans=0).empty
