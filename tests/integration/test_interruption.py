"""kill -9 at any stage, then the same command: the work is finished, with the same numbers."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.long]

ROOT = Path(__file__).parents[2]
EARLY_TABLES = (
    "cohort/scans.tsv",
    "cohort/rejected.tsv",
    "preprocess/qc.tsv",
    "autoencoder/small/reconstruction.tsv",
)
LATE_TABLES = ("volumes/volumes.tsv", "aging/small/errors.tsv", "analysis/small/pca.tsv")
EARLY_STAGES = (  # the run is killed when a job of the stage has begun to write its log
    "logs/build_cohort.log",
    "logs/mask_brain",
    "logs/register_brain",
    "logs/train_autoencoder/small.log",
    "logs/reconstruct_scans/small",
)
LATE_STAGES = ("logs/segment_decoded", "logs/write_report.log")
STAGE_SECONDS = 1500  # a stage may have to wait for others on a busy machine


def start(folder, config, target="all"):
    command = [
        sys.executable, "-m", "snakemake", target, "--snakefile", str(ROOT / "Snakefile"),
        "--directory", str(folder), "--cores", "2", "--configfile", str(config),
    ]  # fmt: skip
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("BRAINLAPSE_", "SLURM_"))
    }
    with open(folder / "killed.log", "a") as log:
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)


def has_begun(path):
    return path.is_file() or (path.is_dir() and any(path.rglob("*.log")))


def wait_for(path, process, log):
    """Wait until a stage has begun, and a little longer, so that it is in the middle of it."""
    deadline = time.monotonic() + STAGE_SECONDS
    while not has_begun(path):
        assert process.poll() is None, log.read_text()[-4000:]
        assert time.monotonic() < deadline, f"{path} never began"
        time.sleep(0.05)
    time.sleep(0.7)


def kill_at(stages, folder, config, target):
    for stage in stages:
        process = start(folder, config, target)
        try:
            wait_for(folder / "results" / stage, process, folder / "killed.log")
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def finish(snakemake, folder, config, target):
    done = snakemake(folder, target, "--cores", 2, "--configfile", config)
    again = snakemake(folder, target, "--cores", 2, "-n", "--configfile", config)
    assert "Nothing to be done" in again.stdout, done.stdout[-3000:]


def assert_same(tables, finished_run, folder):
    for table in tables:
        expected = (finished_run.results / table).read_text()
        assert (folder / "results" / table).read_text() == expected, table


def copy_without(finished_run, folder, names):
    """Copy the finished run as it would be before it had made what these names say."""
    shutil.copytree(finished_run.folder, folder, symlinks=True)
    for name in (*names, "logs"):
        path = folder / "results" / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def test_killed_run_is_finished_by_the_same_command(finished_run, snakemake, tmp_path):
    """From the raw scans of one person to the reconstructions of all."""
    folder = tmp_path / "copy"
    made = ("cohort", "preprocess/tiny/sub-01", "preprocess/qc.tsv", "autoencoder", "latents")
    copy_without(finished_run, folder, made)
    kill_at(EARLY_STAGES, folder, finished_run.config, "encode")
    finish(snakemake, folder, finished_run.config, "encode")
    assert_same(EARLY_TABLES, finished_run, folder)


def test_late_stages_are_finished_too(finished_run, snakemake, tmp_path):
    """From the decoded images to the report."""
    folder = tmp_path / "copy"
    made = ("volumes/small/reconstructed", "volumes/volumes.tsv", "report")
    copy_without(finished_run, folder, made)
    kill_at(LATE_STAGES, folder, finished_run.config, "all")
    finish(snakemake, folder, finished_run.config, "all")
    assert (folder / "results/report/index.html").is_file()
    assert_same(LATE_TABLES, finished_run, folder)


def test_two_runs_do_not_share_a_folder(finished_run, snakemake, tmp_path):
    process = start(tmp_path, finished_run.config)
    while not has_begun(tmp_path / "results/logs"):
        assert process.poll() is None
        time.sleep(0.1)
    done = snakemake(tmp_path, "--cores", 1, "--configfile", finished_run.config, check=False)
    process.kill()
    process.wait()
    assert done.returncode != 0
    assert "another run" in done.stdout
