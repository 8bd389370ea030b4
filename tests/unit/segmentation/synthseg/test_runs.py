"""Gates, retry and clean-up, with a stand-in that behaves and misbehaves on command."""

import os
import signal
import sys

import numpy as np
import pytest

from brainlapse.runtime import process_token
from brainlapse.segmentation.backends import segment_scans
from brainlapse.segmentation.errors import ImplausibleImage, SegmentationFailed
from brainlapse.segmentation.labels import CSV_HEADER, GROUPS, LABEL_IDS, STRUCTURES, group_volumes
from brainlapse.segmentation.settings import SegmentationSettings
from brainlapse.segmentation.synthseg import commands, orphans
from brainlapse.segmentation.synthseg.runs import run_segmenter
from tests.standin import (
    CONTENT_GATES,
    GATES,
    guards,
    hanging,
    job_that_hangs,
    wait_for,
    write_scan,
    write_stand_in,
)


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    return write_stand_in(tmp_path_factory.mktemp("stand-in"))


@pytest.fixture
def scan(tmp_path):
    return write_scan(tmp_path / "it's a, scan: 1.nii.gz")


@pytest.fixture
def scans(tmp_path):
    return [write_scan(tmp_path / f"scan {letter}.nii.gz") for letter in "abc"]


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.fixture
def embedded(programs, monkeypatch):
    """The embedded backend, with the stand-in in the place of the network."""

    def choose(mode, **settings):
        monkeypatch.setattr(commands, "EMBEDDED", (str(programs / mode), "--mni"))
        return SegmentationSettings(backend="embedded", **settings)

    return choose


def native(programs, mode, **settings):
    return SegmentationSettings(backend="native", binary=str(programs / mode), **settings)


def test_good_run_gives_all_groups(scan, programs):
    (found,) = run_segmenter([scan], native(programs, "good"), threads=1)
    assert list(found.volumes_mm3) == list(STRUCTURES)
    assert found.labels.shape == (6, 7, 8)
    assert found.labels.dtype == np.uint8
    volumes = group_volumes(found.volumes_mm3)
    left, right = volumes["left_hippocampus"], volumes["right_hippocampus"]
    assert volumes["hippocampus"] == pytest.approx(left + right)
    assert volumes["brain"] == pytest.approx(sum(found.volumes_mm3.values()))


@pytest.mark.parametrize("mode", GATES)
def test_each_fault_of_the_tool_ends_the_job(scan, programs, mode, temporary):
    with pytest.raises(SegmentationFailed, match=GATES[mode]) as caught:
        run_segmenter([scan], native(programs, mode), threads=1)
    assert str(caught.value).startswith(f"{scan}: native segmentation failed: ")
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("mode", CONTENT_GATES)
def test_image_without_a_brain_is_missing_and_ends_nothing(scan, programs, mode, temporary, caplog):
    (found,) = run_segmenter([scan], native(programs, mode), threads=1)
    assert isinstance(found, ImplausibleImage)
    message = f"{scan}: native segmentation failed: {CONTENT_GATES[mode]}"
    assert str(found).startswith(message)
    assert "Last lines of its output:\nstand-in: " in str(found)
    (missing,) = segment_scans([scan], native(programs, mode), threads=1)
    assert np.isnan(list(missing.volumes_mm3.values())).all()
    assert set(missing.volumes_mm3) == set(group_volumes(dict.fromkeys(STRUCTURES, 1.0)))
    assert missing.labels is None
    assert message in caplog.text
    assert list(temporary.iterdir()) == []


def test_time_limit_ends_the_processes(scan, programs, temporary):
    with pytest.raises(SegmentationFailed, match=r"ran past the time limit of 0\.5 s"):
        run_segmenter([scan], native(programs, "hang", timeout_s=0.5), threads=1)
    assert wait_for(lambda: not hanging())
    assert list(temporary.iterdir()) == []


def test_killed_job_leaves_nothing_running(scan, programs, tmp_path):
    folder = tmp_path / "temporary"
    folder.mkdir()
    job = job_that_hangs(scan, native(programs, "hang"), folder)
    assert wait_for(hanging)
    assert wait_for(lambda: guards(folder))
    os.kill(guards(folder)[0], signal.SIGTERM)  # as when a cluster cancels the job
    job.kill()
    job.wait()
    assert wait_for(lambda: not hanging())
    assert wait_for(lambda: not list(folder.iterdir()))


def test_gpu_failure_is_tried_once_more_on_the_cpu(scan, programs, caplog, temporary):
    (found,) = run_segmenter([scan], native(programs, "gpu_failure", gpu=True), threads=1)
    assert len(found.volumes_mm3) == 32
    assert f"{scan}: native segmentation failed: it ended with exit code 1" in caplog.text
    assert "CUDA error: an illegal memory access was encountered" in caplog.text
    assert "Trying once more, on the CPU" in caplog.text
    assert list(temporary.iterdir()) == []


def test_empty_result_of_a_gpu_is_tried_once_more_on_the_cpu(scan, programs):
    (found,) = run_segmenter([scan], native(programs, "gpu_zero", gpu=True), threads=1)
    assert len(found.volumes_mm3) == 32


def test_second_failure_is_final(scan, programs, caplog):
    with pytest.raises(SegmentationFailed, match="no memory left"):
        run_segmenter([scan], native(programs, "exit_1", gpu=True), threads=1)
    assert caplog.text.count("Trying once more") == 1


def test_without_a_gpu_there_is_no_second_try(scan, programs, caplog):
    with pytest.raises(SegmentationFailed):
        run_segmenter([scan], native(programs, "exit_1"), threads=1)
    assert "Trying once more" not in caplog.text


def test_missing_binary_is_named(scan):
    settings = SegmentationSettings(backend="native", binary="/nowhere/mri_synthseg")
    with pytest.raises(SegmentationFailed, match="cannot start /nowhere/mri_synthseg"):
        run_segmenter([scan], settings, threads=1)


def test_embedded_network_takes_all_scans_in_one_process(scans, embedded, caplog):
    caplog.set_level("INFO")
    found = run_segmenter(scans, embedded("good"), threads=1)
    assert [len(one.volumes_mm3) for one in found] == [32, 32, 32]
    assert caplog.text.count("Running [") == 1


def test_other_backends_take_one_scan_per_process(scans, programs, caplog):
    caplog.set_level("INFO")
    assert len(run_segmenter(scans, native(programs, "good"), threads=1)) == 3
    assert caplog.text.count("Running [") == 3
    assert run_segmenter([], native(programs, "good"), threads=1) == []


def test_one_image_without_a_brain_leaves_the_others_theirs(scans, embedded):
    found = run_segmenter(scans, embedded("second_zero"), threads=1)
    assert [isinstance(one, ImplausibleImage) for one in found] == [False, True, False]
    assert str(scans[1]) in str(found[1])


def test_fault_in_a_list_names_the_scan(scans, embedded):
    with pytest.raises(SegmentationFailed, match="0 complete rows") as caught:
        run_segmenter(scans, embedded("second_bad"), threads=1)
    assert str(caught.value).startswith(f"{scans[1]}: embedded segmentation failed")
    assert str(scans[0]) not in str(caught.value)


def test_failed_process_with_a_list_is_told_once(scans, embedded):
    with pytest.raises(SegmentationFailed) as caught:
        run_segmenter(scans, embedded("exit_137"), threads=1)
    assert str(caught.value).count("exit code 137") == 1
    assert all(str(scan) in str(caught.value) for scan in scans)


def test_time_limit_counts_for_each_scan(scans, embedded):
    with pytest.raises(SegmentationFailed, match=r"time limit of 0\.6 s"):
        run_segmenter(scans, embedded("hang", timeout_s=0.2), threads=1)


def test_licence_of_freesurfer_is_handed_on(scan, programs, tmp_path, monkeypatch):
    license_file = tmp_path / "my, license.txt"
    license_file.write_text("me")
    monkeypatch.setenv("FS_LICENSE", str(license_file))
    with pytest.raises(SegmentationFailed, match=f"license {license_file}"):
        run_segmenter([scan], native(programs, "report"), threads=1)


ENGINE = """#!{python}
import sys
from pathlib import Path
words = sys.argv[1:]
with Path({calls!r}).open("a") as stream:
    stream.write(" ".join(words) + "\\n")
if words[0] == "ps":
    print("one\\ntwo\\nthree")
if words[0] == "container":
    print("one {gone}\\ntwo {alive}\\nthree elsewhere:1:1")
"""


def test_containers_of_ended_jobs_are_removed(tmp_path, monkeypatch):
    alive = process_token()
    calls = tmp_path / "calls"
    engine = tmp_path / "docker"
    text = ENGINE.format(python=sys.executable, calls=str(calls), gone=alive + "0", alive=alive)
    engine.write_text(text)
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert orphans.remove_orphans(SegmentationSettings(backend="docker")) == ["one"]
    assert calls.read_text().splitlines()[-1] == "rm --force one"
    assert orphans.remove_orphans(SegmentationSettings(backend="native")) == []


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
