"""Settings of the preprocessing stages."""

from typing import Literal

from pydantic import Field, field_validator

from brainlapse.preprocessing.brain_mask.settings import MaskSettings
from brainlapse.preprocessing.longitudinal.settings import LongitudinalSettings
from brainlapse.preprocessing.quality.settings import QualitySettings
from brainlapse.preprocessing.registration.settings import RegistrationSettings
from brainlapse.settings import Settings


class BiasSettings(Settings):
    """How slow intensity changes across the scan (bias field) are removed."""

    resolution_mm: float = Field(
        2.0,
        ge=0.5,
        le=6.0,
        description="Finer scans are first averaged to about this voxel size, against noise [mm]",
    )
    sample_mm: float = Field(
        8.0,
        ge=2.0,
        le=16.0,
        description="Distance of the voxels that N4 fits the field to [mm]; the smooth field is "
        "then evaluated at full size",
    )
    iterations: tuple[int, ...] = Field(
        (50, 50, 50),
        min_length=1,
        max_length=5,
        description="Largest number of N4 iterations per level, 1 to 5 levels; the first level's "
        "spline spans the brain, each further level halves it. More levels than 3 begin to "
        "remove anatomy.",
    )

    @field_validator("iterations")
    @classmethod
    def _check_iterations(cls, iterations: tuple[int, ...]) -> tuple[int, ...]:
        if not all(0 <= count <= 10_000 for count in iterations):
            message = f"expected 0 to 10000 iterations per level, found {list(iterations)}"
            raise ValueError(message)
        return iterations

    tolerance: float = Field(
        1e-7, gt=0.0, le=0.01, description="N4 ends a level when the field changes less than this"
    )


class ResamplingSettings(Settings):
    """How the raw scan is interpolated on the MNI grid, once."""

    interpolation: Literal["linear", "cubic"] = Field(
        "cubic", description="`linear`, or `cubic` B-spline, which keeps edges sharper"
    )
    antialias: bool = Field(
        True,
        description="Smooth the scan before it goes to a coarser grid, so that detail finer than "
        "the grid does not turn into noise",
    )


class IntensitySettings(Settings):
    """How intensities are brought to the scale 0 to 1 that all scans share."""

    method: Literal["white_matter", "percentiles"] = Field(
        "white_matter",
        description="What is carried to `upper_level`: the peak of the white matter "
        "(`white_matter`), or the `upper_percentile` inside the mask (`percentiles`)",
    )
    lower_percentile: float = Field(
        2.0,
        ge=0.0,
        le=20.0,
        description="Percentile inside the mask that becomes 0; what lies below is clipped",
    )
    upper_percentile: float = Field(
        98.0,
        ge=50.0,
        le=100.0,
        description="Percentile inside the mask that becomes `upper_level`; read by the method "
        "`percentiles` only",
    )
    upper_level: float = Field(
        0.85,
        gt=0.1,
        le=1.0,
        description="Value of the upper anchor on the final scale; what comes to lie above 1 is "
        "clipped",
    )


class PreprocessSettings(Settings):
    """All settings from the raw scan to the brain in MNI space."""

    mask: MaskSettings = Field(default_factory=MaskSettings, description="Brain mask")
    bias: BiasSettings = Field(
        default_factory=BiasSettings, description="Bias field correction (N4)"
    )
    registration: RegistrationSettings = Field(
        default_factory=RegistrationSettings, description="Registration to the template"
    )
    longitudinal: LongitudinalSettings = Field(
        default_factory=LongitudinalSettings, description="Visits of one person"
    )
    resampling: ResamplingSettings = Field(
        default_factory=ResamplingSettings, description="Interpolation on the MNI grid"
    )
    intensity: IntensitySettings = Field(
        default_factory=IntensitySettings, description="Intensity normalisation"
    )
    quality: QualitySettings = Field(
        default_factory=QualitySettings, description="Limits of the quality check"
    )
