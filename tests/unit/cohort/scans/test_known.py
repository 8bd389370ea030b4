import os
import subprocess
import sys
from pathlib import Path

import pytest

from brainlapse.cohort.build import build_cohort
from brainlapse.cohort.folders.state import dataset_state
from brainlapse.cohort.scans import checking
from brainlapse.cohort.scans.known import KnownScans
from brainlapse.cohort.scans.raw import ScanChanged, load_raw_scan
from brainlapse.cohort.validation import Content, check_scan
from tests.unit.cohort.conftest import make_image


@pytest.fixture
def read(monkeypatch):
    """Names of the files that were read."""
    names = []

    def check(path, settings):
        names.append(path.rpartition("/")[2][:6])
        return check_scan(path, settings)

    monkeypatch.setattr(checking, "check_scan", check)
    return names


@pytest.fixture
def build(dataset, settings, tmp_path, read):
    def run(**changes):
        read.clear()
        cohort = build_cohort(
            {"d": str(dataset.folder)},
            {"d": "apply"},
            settings.model_copy(update=changes),
            seed=0,
            known_scans=tmp_path / "known/scans.jsonl",
        )
        return cohort.scans, sorted(read)

    for index in range(1, 4):
        dataset.scan(f"sub-0{index}")
    return run


def test_one_new_file_means_one_file_read(build, dataset):
    first, names = build()
    assert names == ["sub-01", "sub-02", "sub-03"]
    again, names = build()
    assert names == []
    assert again.equals(first)
    dataset.scan("sub-04")
    assert build()[1] == ["sub-04"]
    build(test_fraction=0.3)
    assert build(test_fraction=0.3)[1] == []


def test_a_touched_file_is_read_again_and_found_to_be_the_same(build, dataset):
    first, _ = build()
    os.utime(dataset.path("sub-02_T1w.nii.gz"), (10**9, 10**9))
    again, names = build()
    assert names == ["sub-02"]
    assert again.equals(first)


def test_another_content_under_an_old_name_is_seen(build, dataset):
    first, _ = build()
    path = dataset.path("sub-02_T1w.nii.gz")
    stamp = path.stat()
    path.unlink()
    dataset.scan("sub-02", make_image(seed=77))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    again, names = build()
    assert names == ["sub-02"]
    assert (again["sha256"] != first["sha256"]).tolist() == [False, True, False]


def test_other_limits_read_all_again(build):
    build()
    assert len(build(max_extent_mm=500)[1]) == 3


def test_rejected_files_are_not_known(build, dataset):
    dataset.path("sub-04_T1w.nii.gz").write_text("text")
    build()
    assert build()[1] == ["sub-04"]


@pytest.mark.parametrize("damage", [b"", b"\0\xff garbage\n", b'{"basis": 1}\n[1]\n{"path"'])
def test_a_damaged_file_is_forgotten(build, tmp_path, damage):
    build()
    kept = tmp_path / "known/scans.jsonl"
    kept.write_bytes(damage)
    assert len(build()[1]) == 3
    assert build()[1] == []


def test_what_was_learnt_outlives_a_kill(tmp_path):
    path = tmp_path / "known.jsonl"
    content = Content("a", "b", ("note",))
    known = KnownScans(path, "basis")
    known.__enter__()
    known.add("/d/sub-01", (1, 2, 3), content)  # no exit: the process is killed here
    with path.open("ab") as file:
        file.write(b'{"path": "/d/sub-02", "st')
    again = KnownScans(path, "basis")
    assert again.find("/d/sub-01", (1, 2, 3)) == content
    assert again.find("/d/sub-01", (1, 2, 4)) is None
    assert KnownScans(path, "another").find("/d/sub-01", (1, 2, 3)) is None


def test_state_sees_every_file_of_the_data_set(dataset):
    scan = dataset.scan("sub-01")
    table = dataset.table("participants.tsv", "participant_id age\nsub-01 50\n")
    states = [dataset_state(dataset.folder)]
    assert dataset_state(dataset.folder) == states[0]
    changes = [
        lambda: os.utime(scan, (10**9, 10**9)),
        lambda: scan.chmod(0o600),
        lambda: table.write_text("participant_id\tage\nsub-01\t510\n"),
        lambda: dataset.table("sub-01/sub-01_scans.tsv", "filename acq_time\n"),
        lambda: dataset.scan("sub-02"),
        lambda: dataset.path("sub-03_T1w.nii.gz").symlink_to("/nowhere"),
        lambda: dataset.path("sub-04_T1w.nii.gz.part").touch(),
        scan.unlink,
    ]
    for change in changes:
        change()
        states.append(dataset_state(dataset.folder))
    assert len(set(states)) == len(states)


def test_stamps_that_move_by_themselves_are_no_change(dataset):
    dataset.scan("sub-01")
    for subject, target in {"sub-02": "/proc/self/mem", "sub-03": "/dev/null"}.items():
        dataset.path(f"{subject}_T1w.nii.gz").symlink_to(target)
    state = dataset_state(dataset.folder)
    Path("/dev/null").touch()
    code = "import sys; from brainlapse.cohort.folders.state import dataset_state as state\n"
    command = [sys.executable, "-c", f"{code}print(state(sys.argv[1]))", str(dataset.folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == state


def test_a_raw_scan_is_read_as_the_cohort_accepted_it_or_not_at_all(dataset, settings):
    path = dataset.scan("sub-01")
    accepted = check_scan(str(path), settings).image_sha256
    volume, _ = load_raw_scan(str(path), accepted)
    assert volume.shape == make_image().shape
    dataset.scan("sub-01", make_image(seed=9))
    with pytest.raises(ScanChanged, match=r"its content is another now; .* same command again"):
        load_raw_scan(str(path), accepted)
    path.unlink()
    with pytest.raises(ScanChanged, match="No such file"):
        load_raw_scan(str(path), accepted)
