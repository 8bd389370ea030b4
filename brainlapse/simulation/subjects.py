"""Who takes part: group, site, split, ages, planted rates and head shape of every subject.

Everything follows from the seed and the subject's number, so a larger cohort changes nobody.
"""

import hashlib
from dataclasses import dataclass

import numpy as np

from brainlapse.simulation.settings import RateSettings, SimulationSettings

GOLDEN = 0.6180339887  # multiples of it, modulo 1, fill an interval evenly at any length
SPLITS = ("train", "test", "validation")
AGE_JITTER = 0.08  # of the time between sessions
# Patients at their first session, log volume against controls of their age.
PATIENT_OFFSET = np.array([0.30, -0.15, -0.05])
# Standard deviation between subjects of one group and age, log volume.
BETWEEN_SUBJECTS = np.array([0.12, 0.06, 0.02])
SCALE_SPREAD = 0.03
AXIS_SCALE_SPREAD = 0.02
SEX_SCALE = {"F": 0.98, "M": 1.01}
PATIENT_SCALE = np.array([0.98, 0.94, 0.97])  # smaller and, front to back, shorter heads


@dataclass(frozen=True)
class Subject:
    """One subject's plan.

    Attributes
    ----------
    ages_years
        Age at every session.
    rates
        Planted change of log volume per year: ventricles, hippocampus, grey matter, (3,).
    baseline_log_change
        Log volume at the first session against the template, (3,).
    scale
        Size of the head relative to the template along x, y and z, (3,).
    patient_shape
        Whether the cerebellum is that of a patient.
    """

    name: str
    sex: str
    diagnosis: str
    site: int
    split: str
    ages_years: tuple[float, ...]
    rates: np.ndarray
    baseline_log_change: np.ndarray
    scale: np.ndarray
    patient_shape: bool

    @property
    def sessions(self) -> list[str]:
        """Names of the sessions."""
        return [f"ses-{number + 1}" for number in range(len(self.ages_years))]

    def log_change_at(self, age_years: float) -> np.ndarray:
        """Return the planted log volumes at an age against the template, (3,)."""
        return self.baseline_log_change + self.rates * (age_years - self.ages_years[0])


def generator(seed: int, *names: str) -> np.random.Generator:
    """Return the random numbers that belong to a seed and a name."""
    digest = hashlib.sha256(":".join([str(seed), *names]).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def plan_subjects(settings: SimulationSettings, seed: int) -> list[Subject]:
    """Plan every subject of a cohort, in order."""
    phases = {group: generator(seed, group).random() for group in ("control", "patient")}
    credits = {
        "control": {"train": 0.0, "test": 0.0, "validation": 0.0},
        "patient": {"train": 0.0, "test": 0.0, "validation": 0.3},
    }
    ranks = {"control": 0, "patient": 0}
    subjects = []
    for index in range(settings.subjects):
        fraction = settings.patient_fraction
        diagnosis = "patient" if int((index + 1) * fraction) > int(index * fraction) else "control"
        rank = ranks[diagnosis]
        ranks[diagnosis] += 1
        split = _next_split(credits[diagnosis], settings)
        even_age = (phases[diagnosis] + rank * GOLDEN) % 1
        name = f"sub-{index + 1:02d}"
        subjects.append(
            _plan_subject(settings, generator(seed, name), name, diagnosis, rank, split, even_age)
        )
    return subjects


def _next_split(credit: dict[str, float], settings: SimulationSettings) -> str:
    """Give the next subject to the split that is furthest behind its share."""
    credit["test"] += settings.test_fraction
    credit["validation"] += settings.validation_fraction
    credit["train"] += 1 - settings.test_fraction - settings.validation_fraction
    split = max(SPLITS, key=lambda name: credit[name])
    credit[split] -= 1
    return split


def _plan_subject(
    settings: SimulationSettings,
    rng: np.random.Generator,
    name: str,
    diagnosis: str,
    rank: int,
    split: str,
    even_age: float,
) -> Subject:
    sex = "F" if rng.random() < 0.5 else "M"
    span_years = settings.max_age_years - settings.min_age_years
    first = settings.min_age_years + span_years * even_age
    step = settings.years_between_sessions
    jitter = rng.uniform(-AGE_JITTER, AGE_JITTER, settings.sessions) * step
    ages = (
        first
        + step * np.arange(settings.sessions)
        + np.where(np.arange(settings.sessions), jitter, 0)
    )
    ages = np.round(ages, 2)
    patient = diagnosis == "patient"
    other_volumes = patient and settings.patient_effect in ("volumes", "both")
    other_shape = patient and settings.patient_effect in ("shape", "both")
    control = _rates(settings.control_rates)
    mean = _rates(settings.patient_rates) if other_volumes else control
    rates = mean * (1 + settings.rate_spread * np.clip(rng.standard_normal(3), -2, 2))
    baseline = control * (ages[0] - settings.reference_age_years)
    baseline = baseline + BETWEEN_SUBJECTS * np.clip(rng.standard_normal(3), -2, 2)
    scale = SEX_SCALE[sex] * (1 + SCALE_SPREAD * np.clip(rng.standard_normal(), -2, 2))
    scale = scale * (1 + AXIS_SCALE_SPREAD * np.clip(rng.standard_normal(3), -2, 2))
    if other_volumes:
        baseline = baseline + PATIENT_OFFSET
    if other_shape:
        scale = scale * PATIENT_SCALE
    return Subject(
        name=name,
        sex=sex,
        diagnosis=diagnosis,
        site=rank % settings.sites,
        split=split,
        ages_years=tuple(float(age) for age in ages),
        rates=rates,
        baseline_log_change=baseline,
        scale=np.broadcast_to(scale, 3).copy(),
        patient_shape=other_shape,
    )


def _rates(rates: RateSettings) -> np.ndarray:
    return np.array([rates.ventricles, rates.hippocampus, rates.grey_matter])
