"""The doctor finds what is missing, and says what to do; programs are stand-ins on PATH."""

import fcntl
import os
from types import SimpleNamespace

import pytest
import yaml

from brainlapse.config import load_config
from brainlapse.operations import cluster, doctor, storage, tools
from brainlapse.operations.findings import as_text, has_faults
from tests.conftest import ROOT

SHAPE = {"voxel_mm": 4.0, "shape": [40, 48, 40]}


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A PATH that holds nothing but the programs that a test writes."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def write(name, script):
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    return write


@pytest.fixture
def config(tmp_path):
    scan = tmp_path / "bids/sub-01/anat/sub-01_T1w.nii.gz"
    scan.parent.mkdir(parents=True)
    scan.write_bytes(b"0" * 1000)
    raw = yaml.safe_load((ROOT / "tests/config/tiny.yaml").read_text())
    datasets = {"mine": {"bids": str(tmp_path / "bids"), "role": "fit"}}
    return load_config({**raw, "datasets": datasets, "output": str(tmp_path / "results")})


def findings(config):
    return list(doctor.examine(config, ROOT / "profiles/slurm/config.yaml"))


def test_a_sound_run_has_no_fault(config, programs):
    found = findings(config)
    assert not has_faults(found), as_text(found)
    text = as_text(found)
    assert "datasets.mine: 1 T1w files" in text
    assert "no SLURM here" in text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(tmp_path):
    tmp_path.chmod(0o500)
    (found,) = storage.check_output(tmp_path / "results")
    assert found.level == "fault"
    assert "can't be written" in found.what


def test_a_file_system_without_locks_is_a_warning(tmp_path, monkeypatch):
    def refuse(descriptor, how):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", refuse)
    _, lock = storage.check_output(tmp_path)
    assert lock.level == "warning"
    assert "ENOSYS" in lock.what


def test_space_counts_what_is_there_already(tmp_path, monkeypatch):
    monkeypatch.setattr(storage.shutil, "disk_usage", lambda place: SimpleNamespace(free=5e9))
    assert storage.check_space(tmp_path, 6e9).level == "fault"
    with open(tmp_path / "there", "wb") as file:
        file.truncate(2_000_000_000)
    assert storage.check_space(tmp_path, 6e9).level == "good"


def test_needed_bytes_grow_with_scans_grid_and_models():
    one = storage.bytes_needed(10**6, 1, 1, 160 * 192 * 160, 1)
    assert 2e7 < one < 5e7  # 40 heads of IXI on this grid left 16.4 MB each before any model
    assert storage.bytes_needed(10**7, 10, 10, 160 * 192 * 160, 1) == pytest.approx(10 * one)
    assert storage.bytes_needed(10**6, 1, 1, 160 * 192 * 160, 3) > 1.5 * one


def test_a_missing_engine_a_missing_image_and_both_there(programs):
    missing = tools.check_program("segmentation", "docker", "mri_synthseg", "fs:7")
    assert [one.level for one in missing] == ["fault"]
    programs("docker", '[ "$3" = fs:7 ]')
    there = tools.check_program("segmentation", "docker", "mri_synthseg", "fs:7")
    assert [one.level for one in there] == ["good", "good"]
    _, image = tools.check_program("segmentation", "docker", "mri_synthseg", "fs:8")
    assert image.level == "fault"
    assert "docker pull fs:8" in image.remedy


def test_a_native_freesurfer_needs_its_home_and_a_licence(programs, tmp_path, monkeypatch):
    programs("mri_synthseg", "true")
    monkeypatch.delenv("FREESURFER_HOME", raising=False)
    monkeypatch.delenv("FS_LICENSE", raising=False)
    levels = [one.level for one in tools.check_program("s", "native", "mri_synthseg", "")]
    assert levels == ["good", "fault"]
    monkeypatch.setenv("FREESURFER_HOME", str(tmp_path))
    levels = [one.level for one in tools.check_program("s", "native", "mri_synthseg", "")]
    assert levels == ["good", "warning"]
    (tmp_path / "license.txt").write_text("mine")
    levels = [one.level for one in tools.check_program("s", "native", "mri_synthseg", "")]
    assert levels == ["good", "good"]


def test_weights_of_a_perceptual_network(config, tmp_path):
    perceptual = config["autoencoders"]["small"]["loss"]["perceptual"]
    perceptual.update(network="lpips", folder=str(tmp_path))
    (missing,) = doctor.check_weights(config["autoencoders"])
    assert missing.level == "fault"
    (tmp_path / "lpips_alex.safetensors").write_bytes(b"")
    (there,) = doctor.check_weights(config["autoencoders"])
    assert there.level == "good"


def test_slurm_judges_each_partition_and_its_gpus(programs, tmp_path):
    programs("sbatch", 'case "$*" in *gres*) echo "bad gres" >&2; exit 1;; esac')
    profile = tmp_path / "config.yaml"
    profile.write_text(
        yaml.safe_dump(
            {
                "default-resources": {"slurm_partition": "cpu", "slurm_account": "lab"},
                "set-resources": {
                    "train_autoencoder": {"slurm_partition": "gpu"},
                    "encode_scans": {"slurm_partition": "gpu", "gres": "gpu:1"},
                    "reconstruct_scans": {"slurm_partition": "gpu"},
                },
            }
        )
    )
    found = cluster.check_slurm(profile)
    assert [one.level for one in found] == ["good", "good", "fault"]
    assert "--account=lab --gpus=1" in found[1].what
    assert "bad gres" in found[2].what
