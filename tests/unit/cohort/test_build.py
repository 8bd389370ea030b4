import pandas as pd
import pytest

from brainlapse import runtime
from brainlapse.cohort.build import build_cohort
from brainlapse.cohort.columns import SCAN_COLUMNS
from brainlapse.cohort.errors import CohortError
from brainlapse.cohort.split import split_subject
from brainlapse.cohort.tables import read_scans
from tests.unit.cohort.conftest import Dataset, make_image


def build(dataset, settings, role="apply", **kwargs):
    return build_cohort({"d": str(dataset.folder)}, {"d": role}, settings, seed=0, **kwargs)


def test_a_planted_cohort_finishes_with_every_bad_file_listed(tmp_path, settings):
    dataset = Dataset(tmp_path / 'it\'s "my" data')
    for index in range(1, 6):
        dataset.scan(f"sub-0{index}")
    dataset.path("sub-06_T1w.nii.gz").write_text("text")
    dataset.path("sub-07_T1w.nii.gz").symlink_to("/nowhere")
    dataset.scan("sub-08", make_image(shape=(10, 11, 12, 2)))
    text = "participant_id age sex\nsub-01 999 M\nsub-02 n/a M\nsub-03 44 F\nsub-99 50 F\n"
    dataset.table("participants.tsv", text)
    cohort = build(dataset, settings, threads=2)
    assert list(cohort.scans["subject"]) == [f"sub-0{index}" for index in range(1, 6)]
    assert list(cohort.rejected["subject"]) == ["sub-06", "sub-07", "sub-08"]
    assert set(cohort.rejected["stage"]) == {"cohort"}
    scans = cohort.scans.set_index("subject")
    assert scans["age_years"].notna().tolist() == [False, False, True, False, False]
    assert "999" in scans.loc["sub-01", "note"]
    assert "age is missing" in scans.loc["sub-02", "note"]
    assert pd.isna(scans.loc["sub-03", "note"])
    assert set(cohort.scans["split"]) == {"apply"}


def test_tables_survive_writing_and_reading(dataset, settings, tmp_path):
    dataset.scan("sub-01_ses-01")
    dataset.scan("sub-02")
    dataset.table("participants.tsv", "participant_id age mmse\nsub-01 50 29\nsub-02 51 n/a\n")
    cohort = build(dataset, settings)
    runtime.write_table(tmp_path / "scans.tsv", cohort.scans)
    scans = read_scans(tmp_path / "scans.tsv")
    assert list(scans.columns) == [*SCAN_COLUMNS, "mmse"]
    assert list(scans["scan"]) == ["sub-01_ses-01", "sub-02"]
    assert pd.isna(scans["session"][1])
    again = build(dataset, settings, threads=2)
    runtime.write_table(tmp_path / "again.tsv", again.scans)
    assert (tmp_path / "again.tsv").read_bytes() == (tmp_path / "scans.tsv").read_bytes()


def test_others_of_a_session_are_listed_and_step_in(dataset, settings):
    dataset.scan("sub-01_run-1")
    dataset.scan("sub-01_run-2")
    dataset.path("sub-02_run-1_T1w.nii.gz").write_text("text")
    dataset.scan("sub-02_run-2")
    dataset.scan("sub-02_run-3")
    cohort = build(dataset, settings)
    assert [path[-16:] for path in cohort.scans["path"]] == ["run-1_T1w.nii.gz", "run-2_T1w.nii.gz"]
    assert "takes the place of sub-02_run-1" in cohort.scans["note"][1]
    assert len(cohort.rejected) == 1
    assert [path[-16:] for path in cohort.alternatives["path"]] == [
        "run-2_T1w.nii.gz",
        "run-3_T1w.nii.gz",
    ]
    assert cohort.alternatives["reason"].str.contains("lower run").all()


def test_one_image_under_two_subjects_rejects_both_and_ties_their_sides(dataset, settings):
    shared = make_image(seed=99)
    for index in range(1, 21):
        dataset.scan(f"sub-{index:02}_ses-1")
    first = next(i for i in range(1, 21) if split_subject(0, f"sub-{i:02}", settings) == "train")
    second = next(i for i in range(1, 21) if split_subject(0, f"sub-{i:02}", settings) == "test")
    for index in (first, second):
        dataset.scan(f"sub-{index:02}_ses-2", shared)
    cohort = build(dataset, settings, role="fit")
    assert list(cohort.rejected["session"]) == ["ses-2", "ses-2"]
    assert cohort.rejected["reason"].str.contains("identical image under d/sub-").all()
    scans = cohort.scans.set_index("subject")
    pair = [f"sub-{first:02}", f"sub-{second:02}"]
    assert len(set(scans.loc[pair, "split"])) == 1
    assert scans.loc[pair, "note"].str.contains("see rejected.tsv").all()


def test_one_image_twice_under_one_subject_keeps_the_first(dataset, settings):
    image = make_image(seed=5)
    dataset.scan("sub-01_ses-1", image)
    dataset.scan("sub-01_ses-2", image)
    dataset.scan("sub-01_ses-3")
    cohort = build(dataset, settings)
    assert list(cohort.scans["session"]) == ["ses-1", "ses-3"]
    assert "once more" in cohort.rejected["reason"][0]


def test_new_subjects_move_nobody_and_the_split_column_goes_first(dataset, settings):
    for index in range(30):
        dataset.scan(f"sub-{index:02}")
    before = build(dataset, settings, role="fit").scans.set_index("subject")["split"]
    assert set(before) == {"train", "validation", "test"}
    for index in range(30, 40):
        dataset.scan(f"sub-{index:02}")
    dataset.table(
        "participants.tsv", "participant_id split\nsub-35 test\nsub-36 train\nsub-37 n/a\n"
    )
    after = build(dataset, settings, role="fit").scans.set_index("subject")["split"]
    assert (after[before.index] == before).all()
    assert (after["sub-35"], after["sub-36"]) == ("test", "train")


def test_several_datasets_share_names_but_not_scans(tmp_path, settings):
    folders = {}
    for seed, name in enumerate(("b", "a")):
        dataset = Dataset(tmp_path / name)
        dataset.seed = 10 * seed
        dataset.scan("sub-01")
        folders[name] = str(dataset.folder)
    cohort = build_cohort(folders, dict.fromkeys(folders, "apply"), settings, seed=0)
    assert list(cohort.scans["dataset"]) == ["a", "b"]


def test_an_empty_cohort_names_its_folder(dataset, settings):
    dataset.path("sub-01_T1w.nii.gz").write_text("text")
    with pytest.raises(CohortError, match=f"no usable scan in {dataset.folder}"):
        build(dataset, settings)


def test_one_image_of_a_person_in_two_datasets_is_kept_once_if_they_share_people(
    tmp_path, settings
):
    folders = {name: Dataset(tmp_path / name) for name in ("a", "b")}
    for dataset in folders.values():
        dataset.scan("sub-01", make_image(seed=3))
    arguments = (
        {name: str(dataset.folder) for name, dataset in folders.items()},
        dict.fromkeys(folders, "apply"),
        settings,
        0,
    )
    folders["b"].scan("sub-02", make_image(seed=4))
    apart = build_cohort(*arguments)
    assert apart.scans["person"].tolist() == ["b/sub-02"]
    shared = build_cohort(*arguments, people={"a": None, "b": "a"})
    assert shared.scans["person"].tolist() == ["a/sub-01", "a/sub-02"]
    assert shared.rejected["dataset"].tolist() == ["b"]
    assert "once more" in shared.rejected["reason"][0]
