"""Costs of a large cohort from small ones: a planted start and a planted cost per scan."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.projection import cohort_of, extrapolate, project_jobs, read_costs
from brainlapse.cohort.blocks import MOST_PEOPLE, with_blocks
from brainlapse.cohort.columns import SCAN_COLUMNS
from brainlapse.runtime import write_table

START, PER_SCAN = 30.0, 0.5


def write_run(folder, people, visits):
    """A finished run's scans, and logs of jobs whose costs are planted."""
    names = [f"sub-{number:02d}" for number in range(people) for _ in range(visits)]
    sessions = [f"ses-{visit}" for _ in range(people) for visit in range(visits)]
    scans = pd.DataFrame({"dataset": "d", "subject": names, "session": sessions, "split": "test"})
    scans["scan"] = scans["subject"] + "_" + scans["session"]
    write_table(folder / "cohort/scans.tsv", scans.reindex(columns=SCAN_COLUMNS))
    jobs = {"collect_volumes": len(scans), "train_autoencoder/m": 0}
    sizes = with_blocks(scans).groupby("block").size()
    jobs |= {f"reconstruct_scans/m/d_{block}": count for block, count in sizes.items()}
    for job, count in jobs.items():
        path = folder / f"logs/{job}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        seconds = START + PER_SCAN * count
        path.write_text(f"...\ncost: {seconds:.1f} s, {2 * seconds:.1f} CPU s, {500 + count} MB\n")
    for name in names:
        path = folder / f"logs/segment_real/d/{name}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("cost: 20.0 s, 25.0 CPU s, 900 MB\n")
    return read_costs(folder)


@pytest.fixture
def table(tmp_path):
    costs = [write_run(tmp_path / "a", 4, 3), write_run(tmp_path / "b", 12, 3)]
    return project_jobs(pd.concat(costs), cohort_of(scans=9200, people=1700))


def test_single_jobs_grow_by_their_scans_not_by_their_start(table):
    collected = table.loc["collect_volumes"]
    assert collected["longest [min]"] == pytest.approx((START + 9200 * PER_SCAN) / 60, abs=0.1)
    assert collected["memory [MB]"] == pytest.approx(500 + 9200, rel=0.01)
    assert table.loc["train_autoencoder", "longest [min]"] == pytest.approx(START / 60, abs=0.05)


def test_blocks_stay_as_small_as_the_workflow_makes_them(table):
    blocks = table.loc["reconstruct_scans"]
    sizes = cohort_of(scans=9200, people=1700).block_scans
    assert sizes.sum() == pytest.approx(9200)
    assert sizes.mean() < MOST_PEOPLE * 9200 / 1700
    assert blocks["jobs"] == len(sizes)
    assert blocks["longest [min]"] == pytest.approx((START + PER_SCAN * sizes.max()) / 60, abs=0.1)
    assert table.loc["segment_real", "jobs"] == 1700
    assert table.loc["segment_real", "longest [min]"] == pytest.approx(20 / 60, abs=0.05)


def test_one_size_alone_tells_no_start_and_says_so(tmp_path):
    costs = write_run(tmp_path, 4, 3)
    table = project_jobs(costs, cohort_of(scans=120, people=40))
    assert table.loc["collect_volumes", "from"] == "all grows"
    expected = (START + 12 * PER_SCAN) * 10 / 60
    assert table.loc["collect_volumes", "longest [min]"] == pytest.approx(expected, abs=0.1)


def test_noise_makes_no_negative_start():
    jobs = pd.DataFrame({"work": [6, 18], "seconds": [1.0, 5.0], "cpu_seconds": [3.0, 3.0],
                         "peak_mb": [900.0, 400.0]})  # fmt: skip
    seconds, cpu_seconds, peak_mb = extrapolate(jobs, np.array([1000]))[0]
    assert seconds > 200
    assert cpu_seconds == pytest.approx(3.0, rel=0.01)
    assert peak_mb == 900
