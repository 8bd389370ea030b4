"""Settings of the demo cohort."""

from typing import Literal

from pydantic import Field, model_validator

from brainlapse.settings import Settings


class RateSettings(Settings):
    """Mean change of log volume per year in one group."""

    ventricles: float = Field(
        0.03, ge=-0.05, le=0.15, description="Ventricles [log volume per year]"
    )
    hippocampus: float = Field(
        -0.008, ge=-0.08, le=0.02, description="Hippocampus [log volume per year]"
    )
    grey_matter: float = Field(
        -0.003, ge=-0.03, le=0.01, description="Grey matter [log volume per year]"
    )


class WalkSettings(Settings):
    """Random walk of log volume along a person's visits: change that no line tells."""

    ventricles: float = Field(
        0.012, ge=0, le=0.1, description="Ventricles [log volume per square root of a year]"
    )
    hippocampus: float = Field(
        0.008, ge=0, le=0.1, description="Hippocampus [log volume per square root of a year]"
    )
    grey_matter: float = Field(
        0.003, ge=0, le=0.05, description="Grey matter [log volume per square root of a year]"
    )


class BrainSettings(Settings):
    """Brains drawn directly in MNI space, as another tool would hand them over."""

    jitter_degrees: float = Field(
        0.3, ge=0, le=5, description="Largest turn left by the registration, per axis [degrees]"
    )
    jitter_mm: float = Field(
        0.2, ge=0, le=5, description="Largest shift left by the registration, per axis [mm]"
    )
    bias: float = Field(
        0.02, ge=0, le=0.5, description="Largest deviation of what is left of the field [fraction]"
    )
    walk: WalkSettings = Field(
        default_factory=WalkSettings, description="Walk of each region, see the fields"
    )


class SimulationSettings(Settings):
    """A BIDS data set of simulated heads with planted truth."""

    subjects: int = Field(16, ge=2, le=2000, description="Number of subjects")
    seed: int = Field(
        0,
        ge=0,
        le=9999,
        description="Added to the run's seed: data sets with different numbers hold other people",
    )
    sessions: int = Field(3, ge=1, le=12, description="Sessions per subject")
    years_between_sessions: float = Field(
        2.0, gt=0, le=20, description="Time between two sessions [years]"
    )
    min_age_years: float = Field(
        20.0, ge=5, le=90, description="Youngest age at the first session [years]"
    )
    max_age_years: float = Field(
        80.0, ge=5, le=95, description="Oldest age at the first session [years]"
    )
    reference_age_years: float = Field(
        50.0, ge=5, le=95, description="Age at which a control has template volumes [years]"
    )
    patient_fraction: float = Field(
        0.5, ge=0, le=1, description="Share of subjects in the patient group [fraction]"
    )
    patient_effect: Literal["both", "volumes", "shape", "none"] = Field(
        "both",
        description="What sets patients apart: volumes at the first session and rates, shape "
        "(cerebellum, size of the head), both, or nothing but their name",
    )
    control_rates: RateSettings = Field(
        RateSettings(ventricles=0.03, hippocampus=-0.008, grey_matter=-0.003),
        description="Mean rates of the controls, see the fields",
    )
    patient_rates: RateSettings = Field(
        RateSettings(ventricles=0.07, hippocampus=-0.025, grey_matter=-0.008),
        description="Mean rates of the patients, see the fields",
    )
    rate_spread: float = Field(
        0.22,
        ge=0,
        le=1,
        description="Standard deviation of a subject's rates relative to the group mean [fraction]",
    )
    shape_mm: float = Field(
        5.0, ge=0, le=8, description="Amplitude of the random warp that makes a subject [mm]"
    )
    voxel_mm: float = Field(2.0, ge=0.8, le=5, description="Edge of the raw scans' voxels [mm]")
    sites: int = Field(3, ge=1, le=3, description="Number of sites (contrasts, headers)")
    pose_degrees: float = Field(
        12.0, ge=0, le=30, description="Largest head rotation about each axis [degrees]"
    )
    pose_mm: float = Field(
        15.0, ge=0, le=60, description="Largest shift of the head along each axis [mm]"
    )
    noise: float = Field(
        0.025, ge=0, le=0.3, description="Rician noise relative to white matter [fraction]"
    )
    bias: float = Field(
        0.25,
        ge=0,
        le=0.8,
        description="Largest deviation of the receive field inside the head [fraction]",
    )
    brains: BrainSettings | None = Field(
        None,
        description="Draw brains in MNI space in place of heads: no "
        "preprocessing; poses, sites' header conventions and bias do not apply",
    )
    test_fraction: float = Field(0.25, ge=0, lt=1, description="Share of test subjects [fraction]")
    validation_fraction: float = Field(
        0.15, ge=0, lt=1, description="Share of validation subjects [fraction]"
    )

    @model_validator(mode="after")
    def _check_pairs(self) -> "SimulationSettings":
        if self.min_age_years > self.max_age_years:
            message = (
                f"min_age_years ({self.min_age_years}) must not exceed "
                f"max_age_years ({self.max_age_years})"
            )
            raise ValueError(message)
        if self.test_fraction + self.validation_fraction >= 1:
            message = "test_fraction + validation_fraction must stay below 1"
            raise ValueError(message)
        return self
