"""The plan of a cohort."""

import numpy as np
import pytest
from pydantic import ValidationError

from brainlapse.simulation.settings import SimulationSettings
from brainlapse.simulation.subjects import PATIENT_OFFSET, PATIENT_SCALE, plan_subjects


def test_sixteen_subjects_are_balanced():
    subjects = plan_subjects(SimulationSettings(subjects=16), seed=0)
    splits = [subject.split for subject in subjects]
    assert (splits.count("train"), splits.count("validation"), splits.count("test")) == (10, 2, 4)
    for split in ("train", "validation", "test"):
        assert {s.diagnosis for s in subjects if s.split == split} == {"control", "patient"}
    for diagnosis in ("control", "patient"):
        ages = [s.ages_years[0] for s in subjects if s.diagnosis == diagnosis]
        assert len(ages) == 8
        assert min(ages) < 35
        assert max(ages) > 65
        assert {s.site for s in subjects if s.diagnosis == diagnosis} == {0, 1, 2}


@pytest.mark.parametrize("seed", [0, 1])
def test_adding_subjects_changes_nobody(seed):
    few = plan_subjects(SimulationSettings(subjects=5), seed)
    many = plan_subjects(SimulationSettings(subjects=40), seed)
    for one, same in zip(few, many, strict=False):
        assert (one.name, one.sex, one.split, one.ages_years) == (
            same.name,
            same.sex,
            same.split,
            same.ages_years,
        )
        np.testing.assert_array_equal(one.rates, same.rates)


def test_seeds_differ():
    first, second = (plan_subjects(SimulationSettings(), seed)[0] for seed in (0, 1))
    assert not np.array_equal(first.rates, second.rates)


def test_groups_have_their_rates():
    subjects = plan_subjects(SimulationSettings(subjects=200), seed=0)
    for diagnosis, expected in (("control", 0.03), ("patient", 0.07)):
        rates = [s.rates[0] for s in subjects if s.diagnosis == diagnosis]
        assert np.mean(rates) == pytest.approx(expected, rel=0.08)
        assert np.std(rates) == pytest.approx(0.22 * expected, rel=0.25)


@pytest.mark.parametrize(
    ("effect", "volumes", "shape"),
    [("both", 1, 1), ("volumes", 1, 0), ("shape", 0, 1), ("none", 0, 0)],
)
def test_patients_differ_from_themselves_as_controls_by_the_effect_alone(effect, volumes, shape):
    """Everything is drawn anew from the same numbers: the difference is what is planted."""
    one, other = (
        plan_subjects(SimulationSettings(subjects=20, patient_effect=name), seed=0)
        for name in (effect, "none")
    )
    for subject, plain in zip(one, other, strict=True):
        patient = subject.diagnosis == "patient"
        gap = subject.baseline_log_change - plain.baseline_log_change
        np.testing.assert_allclose(gap, patient * volumes * PATIENT_OFFSET, atol=1e-12)
        np.testing.assert_allclose(
            subject.scale / plain.scale, PATIENT_SCALE if patient and shape else np.ones(3)
        )
        assert subject.patient_shape == bool(patient and shape)
        faster = subject.rates[0] / plain.rates[0]
        assert faster == pytest.approx(0.07 / 0.03 if patient and volumes else 1)


def test_impossible_settings_are_refused():
    with pytest.raises(ValidationError, match="min_age_years"):
        SimulationSettings(min_age_years=70, max_age_years=60)
    with pytest.raises(ValidationError, match="below 1"):
        SimulationSettings(test_fraction=0.6, validation_fraction=0.4)
