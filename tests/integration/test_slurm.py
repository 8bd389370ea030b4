"""The tiny cohort through the SLURM profile, on whatever SLURM answers on this machine.

The profile's partitions, `cpu` and `gpu`, must exist. A one-node SLURM on loopback is enough, if
the node is said to have 64 GB: what is tried again asks for as much memory once more.
"""

import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml
from safetensors.numpy import load_file

from brainlapse.runtime import read_table
from tests.conftest import snakemake_call

ROOT = Path(__file__).parents[2]


def answering_nodes():
    """Number of nodes that answer, per partition."""
    if shutil.which("sinfo") is None:
        return {}
    done = subprocess.run(
        ["sinfo", "--noheader", "--format", "%R %t %D"], capture_output=True, text=True, check=False
    )
    rows = [line.split() for line in done.stdout.splitlines()]
    found = {}
    for row in rows:
        if len(row) == 3 and row[1] in ("idle", "mix", "alloc"):
            found[row[0]] = found.get(row[0], 0) + int(row[2])
    return found


def running_jobs(name=""):
    """Numbers of this user's running jobs whose comment, the rule or group, holds the name."""
    done = subprocess.run(
        ["squeue", "--me", "--noheader", "--states=RUNNING", "--format=%i %k"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [line.split()[0] for line in done.stdout.splitlines() if name in line]


def wait_for_job(process, name=""):
    """Number of the first job of the name that runs, some seconds after it began."""
    deadline = time.monotonic() + 600
    while not (found := running_jobs(name)):
        assert process.poll() is None, process.communicate()[0][-4000:]
        assert time.monotonic() < deadline, f"no job of {name or 'the run'} ever ran"
        time.sleep(0.5)
    time.sleep(6)
    return found[0]


def write_tiny(folder):
    """Four people of one visit."""
    config = yaml.safe_load((ROOT / "tests/config/tiny.yaml").read_text())
    config["datasets"]["tiny"]["simulate"]["sessions"] = 1
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


SLURM = ("--profile", ROOT / "profiles/slurm")
needs_slurm = pytest.mark.skipif(
    not {"cpu", "gpu"} <= set(answering_nodes()),
    reason="no SLURM with partitions cpu and gpu answers",
)


@pytest.mark.slurm
@pytest.mark.slow
@needs_slurm
@pytest.mark.parametrize("end", ["KILL", "cancel"])
def test_a_job_that_is_killed_or_cancelled_is_tried_again(tmp_path, end):
    config = write_tiny(tmp_path)
    call = snakemake_call(tmp_path, "preprocess", *SLURM, "--configfile", config)
    with subprocess.Popen(**call) as process:
        job = wait_for_job(process, "preprocess")
        how = ["--signal=KILL", "--full"] if end == "KILL" else []
        subprocess.run(["scancel", *how, job], check=True)
        output, _ = process.communicate(timeout=1500)
    assert process.returncode == 0, output[-4000:]
    assert "Trying to restart job" in output
    quality = read_table(tmp_path / "results/preprocess/qc.tsv")
    assert quality["status"].tolist() == ["accepted"] * 4


@pytest.mark.slurm
@pytest.mark.slow
@needs_slurm
def test_a_run_that_is_interrupted_takes_its_jobs_along_and_goes_on(snakemake, tmp_path):
    config = write_tiny(tmp_path)
    call = snakemake_call(tmp_path, "preprocess", *SLURM, "--configfile", config)
    with subprocess.Popen(**call) as process:
        wait_for_job(process, "preprocess")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=300)
    assert process.returncode != 0
    deadline = time.monotonic() + 60
    while running_jobs():
        assert time.monotonic() < deadline, "jobs of the interrupted run still run"
        time.sleep(1)
    snakemake(tmp_path, "preprocess", *SLURM, "--configfile", config)
    assert len(read_table(tmp_path / "results/preprocess/qc.tsv")) == 4


@pytest.mark.slurm
@pytest.mark.slow
@needs_slurm
def test_tiny_cohort_reaches_its_report_on_slurm(snakemake, tmp_path):
    done = snakemake(
        tmp_path, "--profile", ROOT / "profiles/slurm",
        "--configfile", ROOT / "tests/config/tiny.yaml", timeout=3000,
    )  # fmt: skip
    assert (tmp_path / "results/report/index.html").is_file(), done.stdout[-3000:]
    again = snakemake(tmp_path, "--cores", 1, "-n", "--configfile", ROOT / "tests/config/tiny.yaml")
    assert "Nothing to be done" in again.stdout


@pytest.mark.slurm
@pytest.mark.slow
@pytest.mark.skipif(
    answering_nodes().get("gpu", 0) < 2, reason="no SLURM with two nodes in partition gpu answers"
)
def test_training_on_two_nodes_equals_one_process(snakemake, tmp_path):
    config = yaml.safe_load((ROOT / "tests/config/tiny.yaml").read_text())
    config["datasets"]["tiny"]["simulate"]["sessions"] = 1
    model = config["autoencoders"]["small"]
    # Small steps: large ones make differences of rounding grow.
    model["training"] = {
        "steps": 4, "batch_size": 2, "precision": "float32", "learning_rate": 1e-4,
        "clip_norm": 0.01,
    }  # fmt: skip
    shared = {**model, "training": {**model["training"], "nodes": 2}}
    config["autoencoders"] = {"alone": model, "shared": shared}
    path = tmp_path / "two nodes.yaml"
    path.write_text(yaml.safe_dump(config))
    snakemake(tmp_path, "preprocess", "--cores", 2, "--configfile", path)
    snakemake(tmp_path, "train", "--profile", ROOT / "profiles/slurm", "--configfile", path)
    folder = tmp_path / "results/autoencoder"
    log = (tmp_path / "results/logs/train_autoencoder/shared.log").read_text()
    assert "nodes: this one" in log
    losses = [read_table(folder / name / "history.tsv") for name in ("alone", "shared")]
    assert losses[1]["train_l1"].tolist() == pytest.approx(losses[0]["train_l1"].tolist(), rel=1e-4)
    weights = [load_file(folder / name / "model.safetensors") for name in ("alone", "shared")]
    for name, values in weights[0].items():
        assert weights[1][name] == pytest.approx(values, rel=1e-3, abs=1e-5), name
