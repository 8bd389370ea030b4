"""Every gate on real container engines: docker, podman and apptainer, where they start.

The image is built from this machine's own shell and the stand-in ``mri_synthseg`` of
`tests.standin`; no registry is asked. An engine that is missing is a skip with its reason.
"""

import os

import pytest

from brainlapse.containers import OWNER_LABEL
from brainlapse.runtime import process_token
from brainlapse.segmentation.errors import ImplausibleImage, SegmentationFailed
from brainlapse.segmentation.synthseg.orphans import remove_orphans
from brainlapse.segmentation.synthseg.runs import run_segmenter
from tests.integration.engines import ask, started_engine
from tests.standin import (
    CONTENT_GATES,
    GATES,
    HANG_S,
    hanging,
    job_that_hangs,
    wait_for,
    write_root,
    write_scan,
)

pytestmark = pytest.mark.container


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_root(tmp_path_factory.mktemp("image") / "root")


@pytest.fixture(scope="module", params=["docker", "podman", "apptainer"])
def engine(request, root, tmp_path_factory):
    with started_engine(request.param, root, tmp_path_factory.mktemp(request.param)) as engine:
        yield engine


@pytest.fixture
def scan(tmp_path):
    return write_scan(tmp_path / "it's a, scan: 1.nii.gz")


def report_of(scan, settings):
    """What the stand-in says about its surroundings."""
    with pytest.raises(SegmentationFailed, match="exit code 3") as caught:
        run_segmenter([scan], settings, threads=1)
    return str(caught.value).splitlines()


def test_good_run_gives_the_table(engine, scan):
    (found,) = run_segmenter([scan], engine.settings("good"), threads=1)
    assert len(found.volumes_mm3) == 32
    assert found.volumes_mm3["left hippocampus"] == 30013.0
    assert (found.labels == 17).all()
    assert engine.containers() == []


@pytest.mark.parametrize("mode", GATES)
def test_each_fault_of_the_tool_fires_its_gate(engine, scan, mode):
    with pytest.raises(SegmentationFailed, match=GATES[mode]) as caught:
        run_segmenter([scan], engine.settings(mode), threads=1)
    assert str(caught.value).startswith(f"{scan}: {engine.backend} segmentation failed: ")


@pytest.mark.parametrize("mode", CONTENT_GATES)
def test_each_image_without_a_brain_fires_its_gate(engine, scan, mode):
    (found,) = run_segmenter([scan], engine.settings(mode), threads=1)
    assert isinstance(found, ImplausibleImage)
    assert CONTENT_GATES[mode] in str(found)
    assert "stand-in: /input/scan-1.nii.gz" in str(found)


def test_container_has_no_network_no_other_user_and_a_read_only_input(engine, scan, monkeypatch):
    monkeypatch.setenv("FS_LICENSE", __file__)
    lines = report_of(scan, engine.settings("report"))
    assert f"user {os.getuid()}:{os.getgid()}" in lines
    assert [line for line in lines if line.startswith("interface")] == ["interface lo:"]
    assert "input is writable" not in lines
    assert "output is not writable" not in lines
    assert "license /input/license.txt, gpus unset" in lines


def test_program_that_the_image_lacks_is_reported(engine, scan):
    with pytest.raises(SegmentationFailed, match=r"exit code \d+") as caught:
        run_segmenter([scan], engine.settings("nothing_like_it"), threads=1)
    assert "nothing_like_it" in str(caught.value).split("Last lines")[1]


def test_image_that_is_not_there_is_reported(engine, scan):
    missing = engine.settings("good").model_copy(update={"image": "nowhere/absent.sif"})
    with pytest.raises(SegmentationFailed, match=r"exit code \d+(.|\n)*absent"):
        run_segmenter([scan], missing, threads=1)


def test_gpu_failure_is_tried_once_more_on_the_cpu(engine, scan, caplog):
    (found,) = run_segmenter([scan], engine.settings("gpu_failure", gpu=True), threads=1)
    assert len(found.volumes_mm3) == 32
    assert caplog.text.count("Trying once more, on the CPU") == 1


def test_time_limit_leaves_nothing_running(engine, scan):
    with pytest.raises(SegmentationFailed, match="ran past the time limit of 3 s"):
        run_segmenter([scan], engine.settings("hang", timeout_s=3), threads=1)
    assert wait_for(lambda: not hanging())
    assert engine.containers() == []


def test_killed_job_leaves_nothing_running(engine, scan, tmp_path):
    folder = tmp_path / "temporary"
    folder.mkdir()
    job = job_that_hangs(scan, engine.settings("hang"), folder)
    assert wait_for(hanging)
    job.kill()
    job.wait()
    assert wait_for(lambda: not hanging() and not engine.containers())
    assert wait_for(lambda: not list(folder.iterdir()))


@pytest.mark.parametrize("engine", ["docker", "podman"], indirect=True)
def test_containers_of_ended_jobs_are_removed_by_the_next(engine):
    gone = process_token() + "0"
    for owner in (gone, process_token()):
        label = f"{OWNER_LABEL}={owner}"
        options = [*engine.options, "--stop-timeout=0", "--label", label]
        start = ["run", "--detach", "--network=none", *options]
        ask(engine.backend, *start, engine.image, "/bin/sleep", str(HANG_S), check=True)
    before = engine.containers()
    removed = remove_orphans(engine.settings("good"))
    left = engine.containers()
    ask(engine.backend, "rm", "--force", *left, check=True)
    assert (len(before), len(removed), len(left)) == (2, 1, 1)
    assert wait_for(lambda: not hanging())


@pytest.mark.parametrize("engine", ["docker"], indirect=True)
@pytest.mark.skipif(os.getuid() != 0, reason="another user than the caller's takes root")
def test_docker_runs_as_the_user_it_is_told(engine, scan, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    monkeypatch.setattr(os, "getgid", lambda: 54321)
    assert "user 12345:54321" in report_of(scan, engine.settings("report"))


@pytest.mark.parametrize("engine", ["apptainer"], indirect=True)
def test_apptainer_runs_an_image_file_and_sees_the_allowed_gpus(
    engine, root, scan, tmp_path, monkeypatch, caplog
):
    image = tmp_path / "stand-in.sif"
    done = ask("apptainer", "build", str(image), str(root))
    assert done.returncode == 0, done.stderr
    settings = engine.settings("report", gpu=True).model_copy(update={"image": str(image)})
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,2")
    on_cpu = report_of(scan, settings)
    assert "license none, gpus 0,2" in caplog.text
    assert "license none, gpus unset" in on_cpu
