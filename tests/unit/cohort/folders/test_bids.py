import time

import pytest

from brainlapse.cohort.errors import CohortError
from brainlapse.cohort.folders.bids import list_dataset


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_finds_scans_with_and_without_sessions_compressed_or_not(tmp_path):
    touch(
        tmp_path,
        "sub-01/anat/sub-01_T1w.nii.gz",
        "sub-02/ses-a/anat/sub-02_ses-a_acq-mprage_run-2_T1w.nii",
        "sub-02/ses-a/anat/sub-02_ses-a_T2w.nii.gz",
        "sub-02/ses-a/anat/sub-02_ses-a_T1w.json",
        "sub-02/ses-a/func/sub-02_ses-a_task-x_bold.nii.gz",
        "derivatives/tool/sub-01/anat/sub-01_T1w.nii.gz",
        "sourcedata/sub-01/anat/sub-01_T1w.nii.gz",
        "code/sub-01/anat/sub-01_T1w.nii.gz",
    )
    first, second = list_dataset(tmp_path).scans
    assert (first.subject, first.session, first.entities) == ("sub-01", None, {})
    assert (second.subject, second.session) == ("sub-02", "ses-a")
    assert second.entities == {"acq": "mprage", "run": "2"}
    assert first.problem is None
    assert second.problem is None


def test_lists_tables_and_dangling_links(tmp_path):
    touch(
        tmp_path,
        "sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz",
        "sub-01/ses-1/sub-01_ses-1_scans.tsv",
        "sub-01/sub-01_sessions.tsv",
        "sub-02/anat/sub-02_T1w.nii.gz",
        "sub-02/sub-02_scans.tsv",
        "participants.tsv",
        "sessions.tsv",
        "README",
    )
    link = tmp_path / "sub-01/ses-2/anat/sub-01_ses-2_T1w.nii.gz"
    link.parent.mkdir(parents=True)
    link.symlink_to("/nowhere/at/all.nii.gz")
    found = list_dataset(tmp_path)
    assert found.dataset_tables == [
        f"{tmp_path}/{name}" for name in ("participants.tsv", "sessions.tsv")
    ]
    assert found.subject_tables == {"sub-01": f"{tmp_path}/sub-01/sub-01_sessions.tsv"}
    assert found.scans_tables == {
        ("sub-01", "ses-1"): f"{tmp_path}/sub-01/ses-1/sub-01_ses-1_scans.tsv",
        ("sub-02", None): f"{tmp_path}/sub-02/sub-02_scans.tsv",
    }
    assert len(found.scans) == 3
    assert found.faults == []


def test_linked_folders_are_followed(tmp_path):
    touch(tmp_path, "store/anat/sub-01_T1w.nii.gz", "bids/README")
    (tmp_path / "bids/sub-01").symlink_to(tmp_path / "store")
    assert len(list_dataset(tmp_path / "bids").scans) == 1


def test_paths_with_spaces_and_quotes(tmp_path):
    folder = tmp_path / 'it\'s a "study" of 2024'
    touch(folder, "sub-01/anat/sub-01_T1w.nii.gz")
    (scan,) = list_dataset(folder).scans
    assert scan.path == str(folder / "sub-01/anat/sub-01_T1w.nii.gz")


@pytest.mark.parametrize(
    "name",
    [
        "sub-01/anat/sub-02_T1w.nii.gz",
        "sub-01/anat/sub-01_ses-1_T1w.nii.gz",
        "sub-01/ses-1/anat/sub-01_ses-2_T1w.nii.gz",
        "sub-01/ses-1/anat/sub-01_T1w.nii.gz",
        "sub-01/anat/T1w.nii.gz",
        "sub-01_x/anat/sub-01_x_T1w.nii.gz",
        "sub-a b/anat/sub-a b_T1w.nii.gz",
        "sub-{x}/anat/sub-{x}_T1w.nii.gz",
        "sub-01/anat/sub-01_acq-a.b_T1w.nii.gz",
        "sub-01/anat/sub-01_acq-a\nb_T1w.nii.gz",
        "sub-caf\udce9/anat/sub-caf\udce9_T1w.nii.gz",  # bytes that are not UTF-8
    ],
)
def test_names_that_break_bids_get_a_sentence(tmp_path, name):
    touch(tmp_path, name)
    (scan,) = list_dataset(tmp_path).scans
    assert "expected" in scan.problem
    assert "rename" in scan.problem
    assert scan.problem.encode("utf-8")
    assert "\n" not in scan.problem


@pytest.mark.parametrize(
    "name",
    [
        "sub-HC+04/anat/sub-HC+04_T1w.nii.gz",
        "sub-01/ses-1+2/anat/sub-01_ses-1+2_T1w.nii",
        "sub-01/anat/sub-01_acq-mpr+pf_run-2_T1w.nii.gz",
    ],
)
def test_labels_may_hold_a_plus(tmp_path, name):
    touch(tmp_path, name)
    (scan,) = list_dataset(tmp_path).scans
    assert scan.problem is None


def test_missing_and_empty_folders_are_named(tmp_path):
    with pytest.raises(CohortError, match="nowhere"):
        list_dataset(tmp_path / "nowhere")
    (tmp_path / "sub-01").mkdir()
    with pytest.raises(CohortError, match=f"{tmp_path}: expected scans.*found no file"):
        list_dataset(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(CohortError, match="Not a directory"):
        list_dataset(tmp_path / "file")


FOUND_INSTEAD = {
    "sub-02": ["anat/sub-02_T1w.img", "anat/sub-02_T1w.hdr"],
    "sub-03": ["anat/sub-03_T1w.NII.GZ"],
    "sub-04": ["anat/sub-04_T1w.mgz"],
    "sub-05": ["anat/sub-05_T1.nii.gz"],
    "sub-06": ["anat/sub-06_T1w.nii.gz.part"],
    "sub-07": ["sub-07_T1w.nii.gz"],  # not in anat
    "sub-08": ["func/sub-08_task-rest_bold.nii.gz"],
    "sub-09": ["ses-1/dicom/MPRAGE_0001.dcm"],
}


def test_subjects_that_give_no_scan_are_named_with_what_lies_there(tmp_path):
    touch(tmp_path, "sub-01/anat/sub-01_T1w.nii.gz", "sub-10.txt")
    for subject, names in FOUND_INSTEAD.items():
        touch(tmp_path, *(f"{subject}/{name}" for name in names))
    found = list_dataset(tmp_path)
    assert [scan.subject for scan in found.scans] == ["sub-01"]
    problems = {fault.subject: fault.problem for fault in found.faults}
    assert problems.keys() == FOUND_INSTEAD.keys()
    for subject, names in FOUND_INSTEAD.items():
        assert all(name.rpartition("/")[2] in problems[subject] for name in names)


def test_a_session_without_scan_is_named_if_something_in_it_looks_like_one(tmp_path):
    touch(
        tmp_path,
        "sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz",
        "sub-01/ses-2/anat/sub-01_ses-2_T1w.nii.gz.part",
        "sub-01/ses-3/anat/sub-01_ses-3_T2w.nii.gz",
        "sub-01/ses-3/anat/sub-01_ses-3_T1w.json",
    )
    (fault,) = list_dataset(tmp_path).faults
    assert (fault.subject, fault.session) == ("sub-01", "ses-2")
    assert "nii.gz.part" in fault.problem


def test_links_to_themselves_and_to_nowhere_cost_themselves_only(tmp_path):
    touch(tmp_path, "sub-01/anat/sub-01_T1w.nii.gz", "sub-03/README", "sub-04/ses-1/README")
    (tmp_path / "sub-02").symlink_to("sub-02")
    (tmp_path / "sub-03/anat").symlink_to("anat")
    (tmp_path / "sub-04/ses-1/anat").symlink_to("/nowhere")
    (tmp_path / "sub-05").symlink_to("/nowhere")
    found = list_dataset(tmp_path)
    assert [scan.subject for scan in found.scans] == ["sub-01"]
    problems = [fault.problem for fault in found.faults]
    assert [fault.subject for fault in found.faults] == ["sub-02", "sub-03", "sub-04", "sub-05"]
    assert ["leads to itself" in problem for problem in problems] == [True, True, False, False]
    assert ["does not exist" in problem for problem in problems] == [False, False, True, True]


def test_closed_folders_cost_themselves_only(tmp_path, as_anybody):
    touch(
        tmp_path,
        "sub-01/anat/sub-01_T1w.nii.gz",
        "sub-02/anat/sub-02_T1w.nii.gz",
        "sub-03/ses-1/anat/sub-03_ses-1_T1w.nii.gz",
        "sub-03/ses-2/anat/sub-03_ses-2_T1w.nii.gz",
    )
    closed = [tmp_path / name for name in ("sub-02", "sub-03/ses-2/anat")]
    for folder in closed:
        folder.chmod(0o000)
    found = as_anybody(list_dataset, tmp_path)
    for folder in closed:
        folder.chmod(0o755)
    assert [scan.path[len(str(tmp_path)) + 1 :] for scan in found.scans] == [
        "sub-01/anat/sub-01_T1w.nii.gz",
        "sub-03/ses-1/anat/sub-03_ses-1_T1w.nii.gz",
    ]
    assert [(fault.subject, fault.session) for fault in found.faults] == [
        ("sub-02", None),
        ("sub-03", "ses-2"),
    ]
    assert all("Permission denied" in fault.problem for fault in found.faults)


def test_listing_is_quick(tmp_path):
    for subject in range(500):
        anat = tmp_path / f"sub-{subject:03}/ses-1/anat"
        anat.mkdir(parents=True)
        (anat / f"sub-{subject:03}_ses-1_T1w.nii.gz").touch()
    begun = time.process_time()
    assert len(list_dataset(tmp_path).scans) == 500
    assert time.process_time() - begun < 1
