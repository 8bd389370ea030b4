"""Command lines of every backend, word by word."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from brainlapse.segmentation.settings import SegmentationSettings
from brainlapse.segmentation.synthseg.commands import (
    LIBRARY,
    Job,
    build_command,
    build_environment,
    stop_command,
)

JOB = Job(
    input_folder=Path("/a/input"),
    output_folder=Path("/a/output"),
    prepared=False,
    scans=1,
    threads=2,
    user_id=1000,
    group_id=100,
    name="brainlapse-1",
    owner="host:7:99",
    visible_gpus=None,
    licensed=False,
)
TAIL = ["--threads", "2", "--keepgeom", "--cpu"]
HERE = [
    *("--i", "/a/input/scan-1.nii.gz", "--o", "/a/output/labels-1.nii.gz"),
    *("--vol", "/a/output/volumes-1.csv", *TAIL),
]
INSIDE = [
    *("mri_synthseg", "--i", "/input/scan-1.nii.gz", "--o", "/output/labels-1.nii.gz"),
    *("--vol", "/output/volumes-1.csv", *TAIL),
]
RUN = [
    *("run", "--rm", "--name", "brainlapse-1", "--label", "brainlapse.owner=host:7:99"),
    *("--pull", "never", "--network", "none", "--stop-timeout", "0"),
    *("--user", "1000:100", "--env", "HOME=/tmp"),
    *("--mount", "type=bind,source=/a/input,target=/input,readonly"),
    *("--mount", "type=bind,source=/a/output,target=/output"),
]
EXEC = [
    *("apptainer", "exec", "--containall", "--cleanenv", "--no-privs"),
    *("--net", "--network", "none", "--bind", "/a/input:/input:ro"),
    *("--bind", "/a/output:/output"),
]
EMBEDDED = [sys.executable, "-m", "brainlapse.segmentation", "--mni"]


def settings(backend, **others):
    return SegmentationSettings(backend=backend, image="img:1", **others)


@pytest.mark.parametrize(
    ("backend", "expected"),
    [
        ("embedded", [*EMBEDDED, *HERE]),
        ("native", ["mri_synthseg", *HERE]),
        ("docker", ["docker", *RUN, "img:1", *INSIDE]),
        ("podman", ["podman", *RUN, "--userns", "keep-id", "img:1", *INSIDE]),
        ("apptainer", [*EXEC, "docker://img:1", *INSIDE]),
    ],
)
def test_command_of_each_backend(backend, expected):
    assert build_command(JOB, settings(backend)) == expected


def test_many_scans_go_to_the_embedded_network_as_lists():
    command = build_command(replace(JOB, scans=3), settings("embedded", fast=True))
    assert command == [
        *(*EMBEDDED, "--i", "/a/input/list-i.txt", "--o", "/a/input/list-o.txt"),
        *("--vol", "/a/input/list-vol.txt", "--threads", "2", "--keepgeom", "--fast", "--cpu"),
    ]


def test_embedded_network_finds_its_library_from_any_folder(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    assert build_environment(settings("embedded"))["PYTHONPATH"] == f"{LIBRARY}:/elsewhere"
    assert (LIBRARY / "brainlapse/segmentation/synthseg/commands.py").is_file()
    assert build_environment(settings("native"))["PYTHONPATH"] == "/elsewhere"


@pytest.mark.parametrize(
    ("backend", "everything", "some"),
    [
        ("docker", ["--gpus", "all"], ["--gpus", '"device=0,2"']),
        (
            "podman",
            ["--device=nvidia.com/gpu=all"],
            ["--device=nvidia.com/gpu=0", "--device=nvidia.com/gpu=2"],
        ),
        ("apptainer", ["--nv"], ["--env=CUDA_VISIBLE_DEVICES=0,2", "--nv"]),
    ],
)
def test_gpu_only_when_asked_and_only_those_allowed(backend, everything, some):
    without = build_command(JOB, settings(backend))
    asked = build_command(JOB, settings(backend, gpu=True))
    allowed = build_command(replace(JOB, visible_gpus="0,2"), settings(backend, gpu=True))
    assert "--cpu" in without
    assert "--cpu" not in asked
    assert [word for word in asked if word not in without] == everything
    assert [word for word in allowed if word not in without] == some


def test_embedded_and_native_use_the_gpu_unless_told_to_use_the_cpu():
    for backend in ("embedded", "native"):
        assert build_command(JOB, settings(backend, gpu=True))[-1] == "--keepgeom"


@pytest.mark.parametrize("backend", ["docker", "podman", "apptainer"])
def test_licence_and_options_of_the_user_come_along(backend):
    command = build_command(
        replace(JOB, licensed=True), settings(backend, container_options=["--memory", "8g"])
    )
    assert "--env=FS_LICENSE=/input/license.txt" in command
    image = next(number for number, word in enumerate(command) if word.endswith("img:1"))
    assert command[image - 2 : image] == ["--memory", "8g"]


def test_root_is_the_same_user_in_podman_without_a_mapping():
    command = build_command(replace(JOB, user_id=0, group_id=0), settings("podman"))
    assert "--userns" not in command


def test_apptainer_takes_files_folders_and_addresses_as_they_are(tmp_path):
    for image in ("there.sif", str(tmp_path), "oras://site/image"):
        chosen = SegmentationSettings(backend="apptainer", image=image)
        assert image in build_command(JOB, chosen)


def test_containers_are_stopped_by_name():
    assert stop_command(JOB, settings("docker")) == ["docker", "rm", "--force", "brainlapse-1"]
    assert stop_command(JOB, settings("native")) == []
