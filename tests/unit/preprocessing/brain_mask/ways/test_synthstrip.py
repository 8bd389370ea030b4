"""SynthStrip's command lines, and a stand-in program that behaves and misbehaves."""

import sys
from pathlib import Path

import numpy as np
import pytest

from brainlapse.containers import Box
from brainlapse.preprocessing.brain_mask.raw_head import RawHead, WayMissing
from brainlapse.preprocessing.brain_mask.settings import MaskSettings, SynthStripSettings
from brainlapse.preprocessing.brain_mask.ways.synthstrip import (
    find_with_synthstrip,
    stop_command,
    strip_command,
)

JOB = Box(
    input_folder=Path("/a/input"),
    output_folder=Path("/a/output"),
    user_id=1000,
    group_id=100,
    name="brainlapse-1",
    owner="host:7:99",
)
INSIDE = ["-i", "/input/head.nii.gz", "-m", "/output/mask.nii.gz"]
STANDIN = """#!{python}
import sys
import nibabel as nib
import numpy as np
assert sys.argv[1] == "-i" and sys.argv[3] == "-m"
image = nib.load(sys.argv[2])
mask = (np.asarray(image.dataobj) > 50).astype(np.uint8)
{fault}
nib.save(nib.Nifti1Image(mask, image.affine), sys.argv[4])
"""
AFFINE = np.diag([2.0, 2, 2, 1])


@pytest.fixture
def program(tmp_path):
    def write(fault=""):
        path = tmp_path / "mri_synthstrip"
        path.write_text(STANDIN.format(python=sys.executable, fault=fault))
        path.chmod(0o755)
        limit = SynthStripSettings(binary=str(path), timeout_s=60)
        return MaskSettings(synthstrip=limit)

    return write


@pytest.fixture
def head():
    volume = np.zeros((20, 22, 24), np.float32)
    volume[5:15, 6:16, 7:17] = 100
    return volume


def strip(head, settings):
    return find_with_synthstrip(RawHead(head, AFFINE, (head, AFFINE), settings))


def test_the_programs_mask_comes_back(head, program):
    np.testing.assert_array_equal(strip(head, program()), head > 50)


def test_a_failing_program_is_no_fault_of_the_scan(head, program):
    with pytest.raises(RuntimeError, match=r"exit code 3; look at(.|\n)*no memory left"):
        strip(head, program("print('no memory left'); sys.exit(3)"))


def test_a_missing_program_is_passed_over():
    missing = SynthStripSettings(binary="/nowhere/mri_synthstrip")
    with pytest.raises(WayMissing, match="/nowhere/mri_synthstrip is not installed"):
        strip(np.ones((4, 4, 4)), MaskSettings(synthstrip=missing))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("sys.exit(0)", "wrote no mask"),
        ("mask = mask[1:]", r"expected the grid \(20, 22, 24\)"),
        ("open(sys.argv[4], 'w').write('<html>'); sys.exit(0)", "can't be used"),
    ],
)
def test_a_program_that_gives_no_mask_judges_no_scan(head, program, fault, words):
    with pytest.raises(RuntimeError, match=words):
        strip(head, program(fault))


def test_docker_names_the_program_and_cuts_the_network():
    settings = SynthStripSettings(backend="docker", image="img:1")
    command = strip_command(JOB, settings)
    assert command[:2] == ["docker", "run"]
    assert command[-7:] == ["--entrypoint", "mri_synthstrip", "img:1", *INSIDE]
    assert command[command.index("--network") + 1] == "none"
    assert "type=bind,source=/a/input,target=/input,readonly" in command
    assert stop_command(JOB, settings) == ["docker", "rm", "--force", "brainlapse-1"]


def test_podman_keeps_the_user():
    command = strip_command(JOB, SynthStripSettings(backend="podman", image="img:1"))
    assert command[command.index("--userns") + 1] == "keep-id"


def test_apptainer_runs_the_program_in_the_image():
    settings = SynthStripSettings(backend="apptainer", image="/images/s.sif")
    command = strip_command(JOB, settings)
    assert command[:2] == ["apptainer", "exec"]
    assert command[-6:] == ["/images/s.sif", "mri_synthstrip", *INSIDE]
    assert "/a/input:/input:ro" in command
    assert stop_command(JOB, settings) == []
