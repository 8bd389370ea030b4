"""Settings of the preprocessing stages."""

from typing import Literal

from pydantic import Field, model_validator

from brainlapse.preprocessing.quality_settings import QualitySettings
from brainlapse.settings import Settings


class MaskSettings(Settings):
    """How the brain is found in a raw scan."""

    method: Literal["deepbet"] = Field(
        "deepbet", description="Program that finds the brain: `deepbet` (weights in its package)."
    )
    network_voxels: int = Field(
        192,
        ge=128,
        le=256,
        multiple_of=32,
        description="Edge of the cube that deepbet's network sees [voxels], 128 to 256 in steps "
        "of 32; its own default of 256 takes twice as long and is no better.",
    )
    threshold: float = Field(
        0.5, gt=0.0, lt=1.0, description="Probability above which a voxel is brain, 0 to 1."
    )
    min_volume_ml: float = Field(
        500.0, ge=0.0, le=1500.0, description="Smaller brain masks are rejected [ml], 0 to 1500."
    )
    max_volume_ml: float = Field(
        2500.0,
        ge=1500.0,
        le=5000.0,
        description="Larger brain masks are rejected [ml], 1500 to 5000.",
    )


class BiasSettings(Settings):
    """How slow intensity changes across the scan (bias field) are removed."""

    resolution_mm: float = Field(
        2.0,
        ge=0.5,
        le=6.0,
        description="Finer scans are first averaged to about this voxel size, against noise "
        "[mm], 0.5 to 6.",
    )
    sample_mm: float = Field(
        8.0,
        ge=2.0,
        le=16.0,
        description="Distance of the voxels that N4 fits the field to [mm], 2 to 16; the smooth "
        "field is then evaluated at full size.",
    )
    iterations: tuple[int, ...] = Field(
        (50, 50, 50),
        min_length=1,
        max_length=5,
        description="Largest number of N4 iterations per level, 1 to 5 levels; the first level's "
        "spline spans the brain, each further level halves it. More levels than 3 begin to "
        "remove anatomy.",
    )
    tolerance: float = Field(
        1e-7,
        gt=0.0,
        le=0.01,
        description="N4 ends a level when the field changes less than this, 0 to 0.01.",
    )


class LevelSettings(Settings):
    """One level of the registration to the template."""

    metric: Literal["correlation", "mutual_information"] = Field(
        "correlation",
        description="What the level maximises: `correlation` of the intensities, or "
        "`mutual_information` for contrasts that differ from the template's.",
    )
    sampling: float = Field(
        0.5, gt=0.0, le=1.0, description="Share of the voxels that the metric reads, 0 to 1."
    )
    iterations: tuple[int, ...] = Field(
        (100, 50), description="Largest number of iterations, per resolution from coarse to fine."
    )
    shrink: tuple[int, ...] = Field(
        (8, 4), description="Factor by which the grid is coarsened, per resolution."
    )
    smoothing: tuple[float, ...] = Field(
        (4.0, 2.0),
        description="Standard deviation of the Gaussian smoothing [voxels], per resolution.",
    )

    @model_validator(mode="after")
    def check_lengths(self) -> "LevelSettings":
        """Refuse lists of different length, and values that make no sense."""
        lengths = {len(self.iterations), len(self.shrink), len(self.smoothing)}
        if len(lengths) != 1 or lengths == {0}:
            message = (
                "iterations, shrink and smoothing need one entry per resolution each, found "
                f"{len(self.iterations)}, {len(self.shrink)} and {len(self.smoothing)} entries"
            )
            raise ValueError(message)
        if min(self.iterations) < 0 or min(self.shrink) < 1 or min(self.smoothing) < 0:
            message = "iterations and smoothing must be 0 or more, shrink 1 or more"
            raise ValueError(message)
        return self


RIGID_DEFAULT = LevelSettings()
AFFINE_DEFAULT = LevelSettings(
    iterations=(100, 50, 20), shrink=(4, 2, 1), smoothing=(2.0, 1.0, 0.0), sampling=0.05
)


class RegistrationSettings(Settings):
    """How the brain is registered to the template in two levels, each one starting the next."""

    voxel_mm: float = Field(
        2.0, ge=1.0, le=4.0, description="Voxel size at which brains are registered [mm], 1 to 4."
    )
    seed: int = Field(
        1, ge=1, le=2**31 - 1, description="Seed of the metric's sampling, 1 to 2147483647."
    )
    rigid: LevelSettings = Field(
        RIGID_DEFAULT, description="Level 1: rotation and translation (6 parameters)."
    )
    affine: LevelSettings = Field(
        AFFINE_DEFAULT, description="Level 2: scales and shears as well (12 parameters)."
    )
    min_scale: float = Field(
        0.5,
        gt=0.0,
        lt=1.0,
        description="A scan that the affine shrinks below this factor along any direction is "
        "rejected, 0 to 1.",
    )
    max_scale: float = Field(
        2.0,
        gt=1.0,
        le=5.0,
        description="A scan that the affine stretches above this factor along any direction is "
        "rejected, 1 to 5.",
    )


class ResamplingSettings(Settings):
    """How the raw scan is interpolated on the MNI grid, once."""

    interpolation: Literal["linear", "cubic"] = Field(
        "cubic", description="`linear`, or `cubic` B-spline, which keeps edges sharper."
    )
    antialias: bool = Field(
        True,
        description="Smooth the scan before it goes to a coarser grid, so that detail finer than "
        "the grid does not turn into noise.",
    )


class IntensitySettings(Settings):
    """How intensities are brought to the scale 0 to 1 that all scans share."""

    method: Literal["white_matter", "percentiles"] = Field(
        "white_matter",
        description="What is carried to `upper_level`: the peak of the white matter "
        "(`white_matter`), or the `upper_percentile` inside the mask (`percentiles`).",
    )
    lower_percentile: float = Field(
        2.0,
        ge=0.0,
        le=20.0,
        description="Percentile inside the mask that becomes 0, 0 to 20; what lies below is "
        "clipped.",
    )
    upper_percentile: float = Field(
        98.0,
        ge=50.0,
        le=100.0,
        description="Percentile inside the mask that becomes `upper_level`, 50 to 100; read by "
        "the method `percentiles` only.",
    )
    upper_level: float = Field(
        0.85,
        gt=0.1,
        le=1.0,
        description="Value of the upper anchor on the final scale, 0.1 to 1; what comes to lie "
        "above 1 is clipped.",
    )


class PreprocessSettings(Settings):
    """All settings from the raw scan to the brain in MNI space."""

    mask: MaskSettings = Field(default_factory=MaskSettings, description="Brain mask.")
    bias: BiasSettings = Field(
        default_factory=BiasSettings, description="Bias field correction (N4)."
    )
    registration: RegistrationSettings = Field(
        default_factory=RegistrationSettings, description="Registration to the template."
    )
    resampling: ResamplingSettings = Field(
        default_factory=ResamplingSettings, description="Interpolation on the MNI grid."
    )
    intensity: IntensitySettings = Field(
        default_factory=IntensitySettings, description="Intensity normalisation."
    )
    quality: QualitySettings = Field(
        default_factory=QualitySettings, description="Limits of the quality check."
    )
