import time

import pytest

from brainlapse.cohort.bids import list_dataset, list_inputs
from brainlapse.cohort.errors import CohortError


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


def test_lists_tables_but_not_dangling_links(tmp_path):
    touch(
        tmp_path,
        "sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz",
        "sub-01/sub-01_sessions.tsv",
        "participants.tsv",
        "sessions.tsv",
        "README",
    )
    link = tmp_path / "sub-01/ses-2/anat/sub-01_ses-2_T1w.nii.gz"
    link.parent.mkdir(parents=True)
    link.symlink_to("/nowhere/at/all.nii.gz")
    assert {path.name for path in list_inputs(tmp_path)} == {
        "sub-01_ses-1_T1w.nii.gz",
        "sub-01_sessions.tsv",
        "participants.tsv",
        "sessions.tsv",
    }
    assert len(list_dataset(tmp_path).scans) == 2


def test_linked_folders_are_followed(tmp_path):
    touch(tmp_path, "store/anat/sub-01_T1w.nii.gz", "bids/README")
    (tmp_path / "bids/sub-01").symlink_to(tmp_path / "store")
    assert len(list_dataset(tmp_path / "bids").scans) == 1


def test_paths_with_spaces_and_quotes(tmp_path):
    folder = tmp_path / 'it\'s a "study" of 2024'
    touch(folder, "sub-01/anat/sub-01_T1w.nii.gz")
    assert list_inputs(folder) == [folder / "sub-01/anat/sub-01_T1w.nii.gz"]


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
    ],
)
def test_names_that_break_bids_get_a_sentence(tmp_path, name):
    touch(tmp_path, name)
    (scan,) = list_dataset(tmp_path).scans
    assert "expected" in scan.problem
    assert "rename" in scan.problem


def test_missing_and_empty_folders_are_named(tmp_path):
    with pytest.raises(CohortError, match="nowhere"):
        list_inputs(tmp_path / "nowhere")
    (tmp_path / "sub-01").mkdir()
    with pytest.raises(CohortError, match=str(tmp_path)):
        list_inputs(tmp_path)


def test_listing_is_quick(tmp_path):
    for subject in range(500):
        anat = tmp_path / f"sub-{subject:03}/ses-1/anat"
        anat.mkdir(parents=True)
        (anat / f"sub-{subject:03}_ses-1_T1w.nii.gz").touch()
    begun = time.process_time()
    assert len(list_inputs(tmp_path)) == 500
    assert time.process_time() - begun < 1
