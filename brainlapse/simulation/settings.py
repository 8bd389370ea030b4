"""Settings of the demo cohort."""

from pydantic import Field, model_validator

from brainlapse.settings import Settings


class RateSettings(Settings):
    """Mean change of log volume per year in one group."""

    ventricles: float = Field(
        0.03, ge=-0.05, le=0.15, description="Ventricles [log volume per year], -0.05 to 0.15."
    )
    hippocampus: float = Field(
        -0.008, ge=-0.08, le=0.02, description="Hippocampus [log volume per year], -0.08 to 0.02."
    )
    grey_matter: float = Field(
        -0.003, ge=-0.03, le=0.01, description="Grey matter [log volume per year], -0.03 to 0.01."
    )


class SimulationSettings(Settings):
    """A BIDS data set of simulated heads with planted truth."""

    subjects: int = Field(16, ge=2, le=2000, description="Number of subjects, 2 to 2000.")
    sessions: int = Field(3, ge=1, le=12, description="Sessions per subject, 1 to 12.")
    years_between_sessions: float = Field(
        2.0, gt=0, le=20, description="Time between two sessions [years], above 0 to 20."
    )
    min_age_years: float = Field(
        20.0, ge=5, le=90, description="Youngest age at the first session [years], 5 to 90."
    )
    max_age_years: float = Field(
        80.0, ge=5, le=95, description="Oldest age at the first session [years], 5 to 95."
    )
    reference_age_years: float = Field(
        50.0, ge=5, le=95, description="Age at which a control has template volumes [years], 5-95."
    )
    patient_fraction: float = Field(
        0.5, ge=0, le=1, description="Share of subjects in the patient group [fraction], 0 to 1."
    )
    control_rates: RateSettings = Field(
        RateSettings(ventricles=0.03, hippocampus=-0.008, grey_matter=-0.003),
        description="Mean rates of the controls, see the fields.",
    )
    patient_rates: RateSettings = Field(
        RateSettings(ventricles=0.07, hippocampus=-0.025, grey_matter=-0.008),
        description="Mean rates of the patients, see the fields.",
    )
    rate_spread: float = Field(
        0.22,
        ge=0,
        le=1,
        description="Standard deviation of a subject's rates relative to the group mean "
        "[fraction], 0 to 1.",
    )
    shape_mm: float = Field(
        5.0,
        ge=0,
        le=8,
        description="Amplitude of the random warp that makes a subject [mm], 0 to 8.",
    )
    voxel_mm: float = Field(
        2.0, ge=0.8, le=5, description="Edge of the raw scans' voxels [mm], 0.8 to 5."
    )
    sites: int = Field(3, ge=1, le=3, description="Number of sites (contrasts, headers), 1 to 3.")
    pose_degrees: float = Field(
        12.0, ge=0, le=30, description="Largest head rotation about each axis [degrees], 0 to 30."
    )
    pose_mm: float = Field(
        15.0, ge=0, le=60, description="Largest shift of the head along each axis [mm], 0 to 60."
    )
    noise: float = Field(
        0.025,
        ge=0,
        le=0.3,
        description="Rician noise relative to white matter [fraction], 0 to 0.3.",
    )
    bias: float = Field(
        0.25,
        ge=0,
        le=0.8,
        description="Largest deviation of the receive field inside the head [fraction], 0 to 0.8.",
    )
    test_fraction: float = Field(
        0.25, ge=0, lt=1, description="Share of test subjects [fraction], 0 to below 1."
    )
    validation_fraction: float = Field(
        0.15, ge=0, lt=1, description="Share of validation subjects [fraction], 0 to below 1."
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
