"""The written cohort agrees with its own truth."""

import json

import nibabel as nib
import numpy as np
import pytest

from brainlapse import runtime
from brainlapse.simulation.acquisition import SITES
from brainlapse.simulation.anatomy import BRAIN_GRID, LABELS, build_anatomy
from brainlapse.simulation.dataset import write_dataset

SCANS = [f"sub-{subject:02d}_ses-{session}" for subject in range(1, 5) for session in (1, 2)]


def place(scan):
    subject, session = scan.split("_")
    return f"{subject}/{session}/anat/{scan}"


def read_truth(cohort):
    return runtime.read_table(cohort / "derivatives/truth/truth.tsv")


def test_bids_layout(cohort):
    people = runtime.read_table(cohort / "participants.tsv")
    expected = ["participant_id", "sex", "diagnosis", "site", "split"]
    assert list(people.columns) == expected
    assert set(people["split"]) == {"train", "validation", "test"}
    description = json.loads((cohort / "dataset_description.json").read_text())
    assert description["DatasetType"] == "raw"
    sessions = runtime.read_table(cohort / "sub-02/sub-02_sessions.tsv")
    assert list(sessions["session_id"]) == ["ses-1", "ses-2"]
    assert np.diff(sessions["age"])[0] == pytest.approx(3.0, abs=0.3)
    found = {path.name for path in cohort.glob("sub-*/ses-*/anat/*_T1w.nii.gz")}
    assert found == {f"{scan}_T1w.nii.gz" for scan in SCANS}


def test_same_numbers_in_a_smaller_cohort_and_in_other_processes(cohort, settings, tmp_path):
    smaller = settings.model_copy(update={"subjects": 2})
    write_dataset(smaller, seed=3, folder=tmp_path, workers=2)
    files = [path for path in tmp_path.glob("**/sub-*") if path.is_file()]
    assert len(files) == 2 * (1 + 2 * 3)
    for path in files:
        assert path.read_bytes() == (cohort / path.relative_to(tmp_path)).read_bytes()


def test_truth_volumes_agree_with_label_maps(cohort):
    truth = read_truth(cohort).set_index(["scan", "region"])["native_volume_mm3"]
    for scan in SCANS:
        image = nib.load(cohort / "derivatives/truth" / f"{place(scan)}_desc-tissue_dseg.nii.gz")
        counts = np.bincount(np.asarray(image.dataobj).ravel(), minlength=6)
        voxel_mm3 = np.prod(image.header.get_zooms())
        brain = counts[1:].sum() * voxel_mm3
        white = counts[LABELS["white_matter"]] * voxel_mm3
        ventricles = counts[LABELS["ventricles"]] * voxel_mm3
        assert brain == pytest.approx(truth[scan, "brain"], rel=0.02)
        assert white == pytest.approx(truth[scan, "white_matter"], rel=0.12)
        assert ventricles == pytest.approx(truth[scan, "ventricles"], rel=0.30)


def test_mni_volume_is_native_volume_times_determinant(cohort):
    truth = read_truth(cohort)
    for scan, rows in truth.groupby("scan"):
        path = cohort / "derivatives/truth" / f"{place(scan)}_from-T1w_to-MNI_xfm.json"
        matrix = np.array(json.loads(path.read_text())["matrix"])
        ratio = rows["volume_mm3"] / rows["native_volume_mm3"]
        np.testing.assert_allclose(ratio, np.linalg.det(matrix), rtol=1e-4)


def test_planted_rates_are_measured(cohort):
    rates = runtime.read_table(cohort / "derivatives/truth/rates.tsv").dropna()
    error = (rates["measured_rate_per_year"] - rates["planted_rate_per_year"]).abs()
    assert set(rates["region"]) == {"ventricles", "hippocampus", "grey_matter"}
    assert (error <= 0.12 * rates["planted_rate_per_year"].abs() + 0.001).all()
    means = rates.groupby(["region", "diagnosis"])["measured_rate_per_year"].mean()
    assert means["ventricles", "patient"] > means["ventricles", "control"] + 0.02
    assert means["hippocampus", "patient"] < means["hippocampus", "control"] < 0


@pytest.mark.parametrize("scan", SCANS)
def test_true_affine_maps_the_brain_onto_the_template(cohort, scan):
    image = nib.load(cohort / "derivatives/truth" / f"{place(scan)}_desc-tissue_dseg.nii.gz")
    matrix = np.array(
        json.loads(
            (cohort / "derivatives/truth" / f"{place(scan)}_from-T1w_to-MNI_xfm.json").read_text()
        )["matrix"]
    )
    voxels = np.array(np.nonzero(np.asarray(image.dataobj)))
    world = nib.affines.apply_affine(matrix @ image.affine, voxels.T)
    template = np.array(np.nonzero(build_anatomy().maps["brain"] > 0.5))
    expected = nib.affines.apply_affine(BRAIN_GRID.affine, template.T)
    assert np.abs(world.mean(axis=0) - expected.mean(axis=0)).max() < 4.0  # one voxel
    np.testing.assert_allclose(world.std(axis=0), expected.std(axis=0), rtol=0.05)


def test_headers_follow_the_sites(cohort):
    people = runtime.read_table(cohort / "participants.tsv").set_index("participant_id")
    sites = {site.name: site for site in SITES}
    for scan in SCANS:
        site = sites[people.loc[scan[:6], "site"]]
        image = nib.load(cohort / f"{place(scan)}_T1w.nii.gz")
        assert "".join(nib.aff2axcodes(image.affine)) == site.axes
        assert image.get_data_dtype() == site.dtype
        np.testing.assert_allclose(image.header.get_zooms(), 4.0, rtol=1e-5)
        off_axis = np.sort(np.abs(image.affine[:3, :3]).ravel())[:6].max()
        assert (off_axis > 0.01) == (site.oblique_degrees > 0)


def test_whole_brain_lies_inside_the_field_of_view(cohort):
    for scan in SCANS:
        path = cohort / "derivatives/truth" / f"{place(scan)}_desc-tissue_dseg.nii.gz"
        brain = np.asarray(nib.load(path).dataobj) > 0
        for axis in range(3):
            edges = np.take(brain, (0, -1), axis=axis)
            assert not edges.any()
