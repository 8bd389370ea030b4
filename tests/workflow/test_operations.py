"""Looking after a run through Snakemake: beside a run that goes on, and without a trace."""

import fcntl
import os

import pytest
import yaml

from benchmarks.planning import lay_out


@pytest.fixture
def folder(tmp_path):
    lay_out(tmp_path, scans=8)
    return tmp_path


@pytest.fixture
def run(folder, snakemake):
    def look(target, check=True):
        arguments = (target, "--cores", 1, "--configfile", folder / "config.yaml")
        return snakemake(folder, *arguments, check=check)

    return look


def test_status_is_told_while_another_run_holds_the_folder(folder, run):
    lock = folder / "results/.resume/run.lock"
    lock.parent.mkdir()
    half_made = folder / f"results/cohort/.{'0' * 32}.tmp"
    half_made.touch()
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert "another" in run("cohort", check=False).stdout
        told = run("status").stdout
    assert "waiting for:\nstep\nmask    8" in told
    assert half_made.exists(), "a file of the other run"
    assert not (folder / "results/config.yaml").exists()


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """A stand-in that takes every submission, whatever this machine has."""
    sbatch = tmp_path / "bin/sbatch"
    sbatch.parent.mkdir()
    sbatch.write_text("#!/bin/sh\n")
    sbatch.chmod(0o755)
    monkeypatch.setenv("PATH", f"{sbatch.parent}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.usefixtures("slurm")
def test_doctor_makes_nothing_and_ends_with_a_fault(folder, run):
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config["output"] = str(folder / "new")
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    good = run("doctor", check=False)
    assert "datasets.big: 8 T1w files" in good.stdout
    assert "SLURM takes --partition=gpu --gpus=1" in good.stdout
    assert "FAULT" not in good.stdout
    assert good.returncode == 0
    assert not (folder / "new").exists()

    model = {"loss": {"perceptual": {"network": "lpips", "folder": str(folder)}}}
    missing = {**config, "autoencoders": {"mine": model}}
    (folder / "config.yaml").write_text(yaml.safe_dump(missing))
    bad = run("doctor", check=False)
    assert bad.returncode == 1
    assert "lpips" in bad.stdout
