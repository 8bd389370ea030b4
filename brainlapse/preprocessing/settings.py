"""Settings of the preprocessing stages."""

from typing import Any, Literal

from pydantic import Field, model_validator

from brainlapse.settings import Settings


class SynthStripSettings(Settings):
    """How FreeSurfer's mri_synthstrip is run; read by the method `synthstrip` only."""

    backend: Literal["native", "docker", "podman", "apptainer"] = Field(
        "native", description="Installed here (`native`), or the container engine."
    )
    binary: str = Field(
        "mri_synthstrip",
        min_length=1,
        description="Name or path of the program, on this machine or in the image.",
    )
    image: str = Field(
        "freesurfer/freesurfer:7.4.1",
        min_length=1,
        description="Container image, already on this machine; for apptainer a .sif file, a "
        "sandbox folder or an address.",
    )
    container_options: list[str] = Field(
        default_factory=list,
        description="Further options of docker run, podman run or apptainer exec, one word per "
        "item.",
    )
    timeout_s: float = Field(
        900.0, gt=0.0, le=86400.0, description="Time limit for one scan [s], 0 to 86400."
    )


class MaskSettings(Settings):
    """How the brain is found in a raw scan."""

    method: Literal["deepbet", "synthstrip", "template"] = Field(
        "deepbet",
        description="What finds the brain: `deepbet` (weights in its package), `synthstrip` "
        "(FreeSurfer's program), or `template`: the template's mask laid on the head, rough.",
    )
    synthstrip: SynthStripSettings = Field(
        default_factory=SynthStripSettings, description="How mri_synthstrip is run."
    )
    min_template_correlation: float = Field(
        0.65,
        ge=0.0,
        le=1.0,
        description="Method `template`: correlation of head and template at 8 mm below which a "
        "scan is rejected, 0 to 1.",
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

    transform: Literal["rigid", "similarity", "affine"] = Field(
        description="What the level may change: `rigid` rotation and shift (6 parameters), "
        "`similarity` one scale as well (7), `affine` scales and shears as well (12)."
    )
    initialisation: Literal["search", "centres", "header", "previous"] = Field(
        "previous",
        description="Where the level starts: `search` among rotations of up to 60 degrees, "
        "`centres` of mass laid upon each other, the scan's `header`, or the `previous` level.",
    )
    metric: Literal["correlation", "mutual_information"] = Field(
        "correlation",
        description="What the level maximises: `correlation` of the intensities, or "
        "`mutual_information` for contrasts that differ from the template's.",
    )
    masked: bool = Field(
        False,
        description="Read the metric inside the template's brain and a rim of two voxels only, "
        "instead of everywhere.",
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
    min_correlation: float = Field(
        0.8,
        ge=-1.0,
        le=1.0,
        description="Correlation with the template at 4 mm below which the level is tried again, "
        "more thoroughly, -1 to 1; not looked at with `mutual_information`.",
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


RIGID_DEFAULT = LevelSettings(transform="rigid", initialisation="search", min_correlation=0.65)
AFFINE_DEFAULT = LevelSettings(
    transform="affine",
    iterations=(100, 50, 20),
    shrink=(4, 2, 1),
    smoothing=(2.0, 1.0, 0.0),
    sampling=0.05,
)
FREEDOM = ("rigid", "similarity", "affine")


class RetrySettings(Settings):
    """How a level whose result does not fit is tried once more."""

    starts: int = Field(
        4, ge=1, le=20, description="Starts to try, the best of the search, 1 to 20."
    )
    sampling: float = Field(
        1.0, gt=0.0, le=1.0, description="Share of the voxels that the metric reads, 0 to 1."
    )


class LimitSettings(Settings):
    """Limits on the result of the last level; beyond them a scan is rejected."""

    min_scale: float = Field(
        0.5,
        gt=0.0,
        lt=1.0,
        description="A scan that the last level shrinks below this factor along any direction is "
        "rejected, 0 to 1.",
    )
    max_scale: float = Field(
        2.0,
        gt=1.0,
        le=5.0,
        description="A scan that the last level stretches above this factor along any direction "
        "is rejected, 1 to 5.",
    )
    max_scale_ratio: float = Field(
        1.7,
        gt=1.0,
        le=5.0,
        description="Largest over smallest scale of any two directions, shears included, above "
        "which a scan is rejected, 1 to 5.",
    )
    min_correlation: float = Field(
        0.65,
        ge=-1.0,
        le=1.0,
        description="Correlation with the template at 4 mm below which a scan is rejected after "
        "the second try, -1 to 1; not looked at with `mutual_information`.",
    )
    min_overlap: float = Field(
        0.80,
        ge=0.0,
        le=1.0,
        description="Dice coefficient of the brain and the template's at 4 mm below which a scan "
        "is rejected after the second try, 0 to 1.",
    )


class RegistrationSettings(Settings):
    """How the brain is registered to the template, level by level."""

    voxel_mm: float = Field(
        2.0, ge=1.0, le=4.0, description="Voxel size at which brains are registered [mm], 1 to 4."
    )
    seed: int = Field(
        1, ge=1, le=2**31 - 1, description="Seed of the metric's sampling, 1 to 2147483647."
    )
    levels: tuple[LevelSettings, ...] = Field(
        (RIGID_DEFAULT, AFFINE_DEFAULT),
        min_length=1,
        max_length=3,
        description="The levels in order, each transform once and none freer than the next; a "
        "list given here replaces the whole default list.",
    )
    retry: RetrySettings = Field(
        default_factory=RetrySettings, description="The second try of a level that failed."
    )
    limits: LimitSettings = Field(
        default_factory=LimitSettings, description="What the last level's result must keep."
    )

    @model_validator(mode="before")
    @classmethod
    def explain_levels(cls, raw: Any) -> Any:
        """Say where the settings of the two levels and the limits went."""
        if isinstance(raw, dict) and raw.keys() & {"min_scale", "max_scale"}:
            message = "`min_scale` and `max_scale` are now keys of `limits`: limits: {min_scale: ...}"
            raise ValueError(message)
        if isinstance(raw, dict) and raw.keys() & {"rigid", "affine"}:
            message = (
                "`rigid` and `affine` became entries of a list: "
                "levels: [{transform: rigid, initialisation: search, ...}, "
                "{transform: affine, ...}]"
            )
            raise ValueError(message)
        return raw

    @model_validator(mode="after")
    def check_order(self) -> "RegistrationSettings":
        """Refuse levels that take freedom back, and a first level without a start."""
        order = [FREEDOM.index(level.transform) for level in self.levels]
        if order != sorted(set(order)):
            names = [level.transform for level in self.levels]
            message = f"levels: expected each of {', '.join(FREEDOM)} at most once, in this order, "
            raise ValueError(f"{message}found {names}")
        if self.levels[0].initialisation == "previous":
            message = "levels: the first level needs an initialisation of its own, e.g. `search`"
            raise ValueError(message)
        return self


class ResamplingSettings(Settings):
    """How the raw scan is interpolated on the MNI grid, once."""

    interpolation: Literal["linear", "cubic", "lanczos"] = Field(
        "cubic",
        description="`linear`, `cubic` B-spline, which keeps edges sharper, or `lanczos`, a sinc "
        "windowed to 6 voxels, which is slower.",
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
