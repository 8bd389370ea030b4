"""Command lines, and a stand-in ``mri_synthseg`` that behaves and misbehaves on command."""

import stat
import sys
from pathlib import Path

import numpy as np
import pytest

from brainlapse.images import save_volume
from brainlapse.segmentation.commands import Job, build_command, stop_command
from brainlapse.segmentation.errors import SegmentationFailed
from brainlapse.segmentation.labels import CSV_HEADER, GROUPS, LABEL_IDS, STRUCTURES, group_volumes
from brainlapse.segmentation.processes import run_synthseg
from brainlapse.segmentation.settings import SegmentationSettings

JOB = Job(Path("/a/input"), Path("/a/output"), 2, 1000, 100, "brainlapse-1")
TAIL = ["--threads", "2", "--keepgeom", "--cpu"]
INSIDE = [
    *("mri_synthseg", "--i", "/input/scan.nii.gz", "--o", "/output/labels.nii.gz"),
    *("--vol", "/output/volumes.csv", *TAIL),
]
RUN = [
    *("run", "--rm", "--name", "brainlapse-1", "--pull", "never", "--network", "none"),
    *("--user", "1000:100", "--env", "HOME=/tmp"),
    *("--mount", "type=bind,source=/a/input,target=/input,readonly"),
    *("--mount", "type=bind,source=/a/output,target=/output"),
]
STAND_IN = """#!{python}
import shutil, sys, time
import nibabel as nib
import numpy as np
arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
mode = "{mode}"
header = {header!r}
values = [30000.0 + i for i in range(32)]
print("stand-in runs", mode)
if mode == "hang":
    time.sleep(60)
if mode == "no table":
    sys.exit(0)
if mode == "zero":
    values = [0.0] * 32
if mode == "not finite":
    values[3] = float("nan")
if mode == "implausible":
    values = [v / 1000 for v in values]
cells = ["scan", sum(values), *values]
with open(arguments["--vol"], "w") as stream:
    names = header[:-1] if mode == "wrong columns" else header
    stream.write(",".join(names) + "\\n")
    if mode != "header only":
        stream.write(",".join(str(c) for c in cells) + "\\n")
if mode == "exit 1":
    print("no memory left", file=sys.stderr)
    sys.exit(1)
if mode != "no labels":
    scan = nib.load(arguments["--i"])
    labels = np.full(scan.shape, 999 if mode == "unknown label" else 17, dtype=np.int16)
    labels = labels[1:] if mode == "wrong grid" else labels
    nib.save(nib.Nifti1Image(labels, scan.affine), arguments["--o"])
"""


@pytest.fixture
def scan(tmp_path):
    path = tmp_path / "it's a, scan: 1.nii.gz"
    save_volume(path, np.ones((6, 7, 8), dtype=np.float32), np.diag([2.5, 2.5, 2.5, 1]))
    return path


def stand_in(folder, mode, **settings):
    path = folder / "mri_synthseg"
    path.write_text(STAND_IN.format(python=sys.executable, mode=mode, header=list(CSV_HEADER)))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return SegmentationSettings(backend="native", binary=str(path), **settings)


@pytest.mark.parametrize(
    ("backend", "expected"),
    [
        ("docker", ["docker", *RUN, "img:1", *INSIDE]),
        ("podman", ["podman", *RUN, "--userns", "keep-id", "img:1", *INSIDE]),
        (
            "apptainer",
            [
                *("apptainer", "exec", "--containall", "--cleanenv", "--net"),
                *("--network", "none", "--bind", "/a/input:/input:ro"),
                *("--bind", "/a/output:/output", "img:1", *INSIDE),
            ],
        ),
        (
            "native",
            [
                *("mri_synthseg", "--i", "/a/input/scan.nii.gz"),
                *("--o", "/a/output/labels.nii.gz", "--vol", "/a/output/volumes.csv", *TAIL),
            ],
        ),
    ],
)
def test_command_of_each_backend(backend, expected):
    assert build_command(JOB, SegmentationSettings(backend=backend, image="img:1")) == expected


@pytest.mark.parametrize(
    ("backend", "option"),
    [("docker", "--gpus"), ("podman", "nvidia.com/gpu=all"), ("apptainer", "--nv")],
)
def test_gpu_only_when_asked(backend, option):
    asked = build_command(JOB, SegmentationSettings(backend=backend, gpu=True))
    assert option in asked
    assert "--cpu" not in asked
    assert option not in build_command(JOB, SegmentationSettings(backend=backend))


def test_containers_are_stopped_by_name():
    expected = ["docker", "rm", "--force", "brainlapse-1"]
    assert stop_command(JOB, SegmentationSettings(backend="docker")) == expected
    assert stop_command(JOB, SegmentationSettings(backend="native")) is None


def test_good_run_gives_all_groups(scan, tmp_path):
    structures, labels = run_synthseg(scan, stand_in(tmp_path, "good"), threads=1)
    assert list(structures) == list(STRUCTURES)
    assert labels.shape == (6, 7, 8)
    volumes = group_volumes(structures)
    left, right = volumes["left_hippocampus"], volumes["right_hippocampus"]
    assert volumes["hippocampus"] == pytest.approx(left + right)
    assert volumes["brain"] == pytest.approx(sum(structures.values()))


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("exit 1", "exit code 1\nLast lines of its output:\n(.|\n)*no memory left"),
        ("header only", "0 complete rows, 1 expected"),
        ("wrong columns", "34 columns"),
        ("no table", "wrote no table"),
        ("zero", "32 of 32 structures"),
        ("not finite", "1 of 32 structures"),
        ("implausible", "intracranial volume is"),
        ("no labels", "wrote no label map"),
        ("unknown label", "999"),
        ("wrong grid", "another grid"),
    ],
)
def test_each_gate_fires(scan, tmp_path, mode, message):
    with pytest.raises(SegmentationFailed, match=message) as caught:
        run_synthseg(scan, stand_in(tmp_path, mode), threads=1)
    assert str(scan) in str(caught.value)
    assert "native" in str(caught.value)


def test_time_limit_ends_the_process(scan, tmp_path):
    with pytest.raises(SegmentationFailed, match=r"time limit of 0\.5 s"):
        run_synthseg(scan, stand_in(tmp_path, "hang", timeout_s=0.5), threads=1)


def test_missing_binary_is_named(scan):
    settings = SegmentationSettings(backend="native", binary="/nowhere/mri_synthseg")
    with pytest.raises(SegmentationFailed, match="cannot start /nowhere/mri_synthseg"):
        run_synthseg(scan, settings, threads=1)


def test_nothing_is_left_behind(scan, tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    with pytest.raises(SegmentationFailed):
        run_synthseg(scan, stand_in(tmp_path, "zero"), threads=1)
    assert list(folder.iterdir()) == []


def test_groups_share_out_the_labels():
    assert len(STRUCTURES) == 32
    assert len(CSV_HEADER) == 34
    tissues = [GROUPS[name] for name in ("grey_matter", "white_matter", "csf")]
    assert sum(map(len, tissues)) == 32
    assert frozenset().union(*tissues) | {0} == LABEL_IDS


def test_csv_order_is_synthsegs():
    assert CSV_HEADER[:4] == (
        *("subject", "total intracranial"),
        *("left cerebral white matter", "left cerebral cortex"),
    )
    assert CSV_HEADER[12:21] == (
        *("3rd ventricle", "4th ventricle", "brain-stem", "left hippocampus", "left amygdala"),
        *("csf", "left accumbens area", "left ventral DC", "right cerebral white matter"),
    )
    assert CSV_HEADER[-3:] == ("right amygdala", "right accumbens area", "right ventral DC")
