"""Brains drawn in MNI space: their truth, and the order of methods that real volumes show."""

import nibabel as nib
import numpy as np
import pytest
from pydantic import ValidationError

from brainlapse.aging.methods import copy_last, population_rate, subject_ols, volume_bayes
from brainlapse.aging.methods.interface import FitSettings
from brainlapse.aging.people import Person
from brainlapse.cohort.settings import DatasetSettings
from brainlapse.runtime import read_table
from brainlapse.simulation.anatomy import LABELS
from brainlapse.simulation.brains import brain_grid, walk
from brainlapse.simulation.dataset import write_dataset
from brainlapse.simulation.settings import SimulationSettings
from brainlapse.simulation.subjects import plan_subjects
from brainlapse.space import SpaceSettings, mni_grid

OF_OLD_PEOPLE = {  # rates and walk as of the lateral ventricles of 74 people in three waves
    "min_age_years": 50,
    "max_age_years": 80,
    "years_between_sessions": 3,
    "sessions": 3,
    "patient_fraction": 0,
    "control_rates": {"ventricles": 0.022, "hippocampus": -0.008, "grey_matter": -0.003},
    "rate_spread": 0.35,
    "brains": {"walk": {"ventricles": 0.02}},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("brains")
    settings = SimulationSettings(
        **{**OF_OLD_PEOPLE, "subjects": 2, "sessions": 2, "voxel_mm": 4.0}
    )
    write_dataset(settings, seed=5, folder=folder)
    return folder


def test_brains_lie_on_the_grid_of_the_run(folder):
    grid = brain_grid(2.0)
    assert grid.shape == (80, 96, 80)
    assert brain_grid(2.5).shape == (64, 80, 64)  # of the shipped configuration
    np.testing.assert_allclose(
        grid.affine, mni_grid(SpaceSettings(voxel_mm=2, shape=grid.shape)).affine
    )
    image = nib.load(folder / "sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz")
    np.testing.assert_allclose(image.affine, brain_grid(4.0).affine)
    volume = np.asarray(image.dataobj)
    labels = nib.load(
        folder / "derivatives/truth/sub-01/ses-1/anat/sub-01_ses-1_desc-tissue_dseg.nii.gz"
    )
    assert ((volume > 0) == (np.asarray(labels.dataobj) > 0)).all()


def test_volumes_of_the_labels_agree_with_the_truth(folder):
    truth = read_table(folder / "derivatives/truth/truth.tsv")
    brain = truth[truth["region"] == "brain"].set_index("scan")["volume_mm3"]
    for scan, wanted in brain.items():
        subject, session = scan.split("_")
        path = folder / f"derivatives/truth/{subject}/{session}/anat/{scan}_desc-tissue_dseg.nii.gz"
        found = (np.asarray(nib.load(path).dataobj) > 0).sum() * 4.0**3
        assert found == pytest.approx(wanted, rel=0.03)
    assert LABELS["ventricles"] > 0


def test_the_order_of_methods_is_that_of_real_ventricles():
    """Copy worse than the own line, that worse than the mean rate, which `volume_bayes` equals."""
    settings = SimulationSettings(subjects=160, **OF_OLD_PEOPLE)
    subjects = plan_subjects(settings, seed=11)
    people = []
    for subject in subjects:
        line = [subject.log_change_at(age)[0] for age in subject.ages_years]
        measured = line + walk(subject, settings.brains, seed=11)[:, 0]
        people.append(Person(np.array(subject.ages_years), measured[:, None]))
    train, test = people[:100], people[100:]
    errors = {}
    for method in (copy_last, subject_ols, population_rate, volume_bayes):
        fitted = method.fit(train, FitSettings())
        misses = [
            fitted.forecast(p.first(2), p.ages_years[2:]).centre[0, 0] - p.values[2, 0]
            for p in test
        ]
        errors[method.__name__.split(".")[-1]] = 100 * np.mean(np.abs(misses))
    assert errors["copy_last"] > errors["subject_ols"] > 1.1 * errors["population_rate"]
    assert errors["volume_bayes"] < 1.05 * errors["population_rate"]


def test_brains_are_taken_in_as_preprocessed_and_heads_are_not():
    simulate = {"subjects": 4, "brains": {}}
    assert DatasetSettings(simulate=simulate, preprocessed=True).simulate.brains.bias == 0.02
    with pytest.raises(ValidationError, match="expected preprocessed: true"):
        DatasetSettings(simulate=simulate)
    with pytest.raises(ValidationError, match="expected preprocessed: false"):
        DatasetSettings(simulate={"subjects": 4}, preprocessed=True)
