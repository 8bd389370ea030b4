"""Settings of the preprocessing stages."""

from typing import Literal

from pydantic import Field

from brainlapse.preprocessing.mask_settings import MaskSettings
from brainlapse.preprocessing.registration_settings import RegistrationSettings
from brainlapse.settings import Settings


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


class QualitySettings(Settings):
    """Limits on the quality numbers of a scan: flagged scans are kept but not fitted on."""

    min_mask_volume_ml: float = Field(
        900.0, ge=0.0, le=3000.0, description="Smaller brain masks are flagged [ml], 0 to 3000."
    )
    max_mask_volume_ml: float = Field(
        2200.0, ge=0.0, le=5000.0, description="Larger brain masks are flagged [ml], 0 to 5000."
    )
    min_overlap: float = Field(
        0.92,
        ge=0.0,
        le=1.0,
        description="Dice coefficient of the brain mask and the template's below which a scan is "
        "flagged, 0 to 1.",
    )
    reject_overlap: float = Field(
        0.80,
        ge=0.0,
        le=1.0,
        description="Dice coefficient of the masks below which a scan is rejected, 0 to 1.",
    )
    min_correlation: float = Field(
        0.40,
        ge=-1.0,
        le=1.0,
        description="Correlation with the template inside its mask below which a scan is "
        "flagged, -1 to 1.",
    )
    reject_correlation: float = Field(
        0.30,
        ge=-1.0,
        le=1.0,
        description="Correlation with the template below which a scan is rejected, -1 to 1.",
    )
    min_scale: float = Field(
        0.75, gt=0.0, le=1.0, description="Smaller scales of the affine are flagged, 0 to 1."
    )
    max_scale: float = Field(
        1.40, ge=1.0, le=5.0, description="Larger scales of the affine are flagged, 1 to 5."
    )
    max_shear: float = Field(
        0.20, ge=0.0, le=2.0, description="Larger shears of the affine are flagged, 0 to 2."
    )
    max_bias_range: float = Field(
        4.0,
        ge=1.0,
        le=100.0,
        description="Ratio of the strongest to the weakest part of the bias field (98th to 2nd "
        "percentile inside the mask) above which a scan is flagged, 1 to 100.",
    )
    min_contrast: float = Field(
        0.6,
        ge=-10.0,
        le=10.0,
        description="Contrast of white to grey matter in units of their noise below which a scan "
        "is flagged, -10 to 10.",
    )
    max_cut_area_cm2: float = Field(
        10.0,
        ge=0.0,
        le=1000.0,
        description="Area over which the brain touches the edge of the field of view above which "
        "a scan is flagged [cm2], 0 to 1000.",
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
