"""Settings of the registration to the template."""

from typing import Any, Literal

from pydantic import Field, model_validator

from brainlapse.settings import Settings


class LevelSettings(Settings):
    """One level of the registration to the template."""

    transform: Literal["rigid", "similarity", "affine"] = Field(
        description="What the level may change: `rigid` rotation and shift (6 parameters), "
        "`similarity` one scale as well (7), `affine` scales and shears as well (12)"
    )
    initialisation: Literal["search", "centres", "header", "previous"] = Field(
        "previous",
        description="Where the level starts: `search` among rotations of up to 60 degrees, "
        "`centres` of mass laid upon each other, the scan's `header`, or the "
        "`previous` level",
    )
    metric: Literal["squares", "correlation", "mutual_information"] = Field(
        "squares",
        description="What makes a good fit: small `squares` of the differences, outliers apart; "
        "or, with ANTs, high `correlation` of the intensities or "
        "`mutual_information`, the latter also for contrasts that differ from the "
        "template's",
    )
    masked: bool = Field(
        False,
        description="Read the metric inside the template's brain and a rim of two voxels only, "
        "instead of everywhere; `squares` are always read there. ANTs ended early and in worse "
        "places on the four scans tried.",
    )
    sampling: float = Field(
        0.15,
        gt=0.0,
        le=1.0,
        description="Share of the voxels that the metric reads; `squares` read about as many at "
        "the coarser resolutions",
    )
    iterations: tuple[int, ...] = Field(
        (30, 30), description="Largest number of iterations, per resolution from coarse to fine"
    )
    shrink: tuple[int, ...] = Field(
        (4, 2), description="Factor by which the grid is coarsened, per resolution"
    )
    smoothing: tuple[float, ...] = Field(
        (2.0, 1.0),
        description="Standard deviation of the Gaussian smoothing [voxels], per resolution",
    )
    min_correlation: float = Field(
        0.65,
        ge=-1.0,
        le=1.0,
        description="Correlation with the template at 4 mm below which the level is tried again, "
        "more thoroughly; not looked at with `mutual_information`",
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
        if self.masked and self.metric == "squares":
            message = "masked: acts on correlation and mutual_information only; leave it out"
            raise ValueError(message)
        return self

    @property
    def expects_contrast(self) -> bool:
        """Whether a good fit needs the template's contrast, so that correlation can judge it."""
        return self.metric != "mutual_information"


RIGID_DEFAULT = LevelSettings(transform="rigid", initialisation="search", min_correlation=0.6)
AFFINE_DEFAULT = LevelSettings(
    transform="affine",
    iterations=(30, 30, 30),
    shrink=(4, 2, 1),
    smoothing=(2.0, 1.0, 0.5),
)
FREEDOM = ("rigid", "similarity", "affine")


class RetrySettings(Settings):
    """How a level whose result does not fit is tried once more."""

    starts: int = Field(3, ge=1, le=20, description="Starts to try, the best of the search")
    sampling: float = Field(
        0.2, gt=0.0, le=1.0, description="Share of the voxels that the metric reads"
    )


class LimitSettings(Settings):
    """Limits on the result of the last level; beyond them a scan is rejected."""

    min_scale: float = Field(
        0.5,
        gt=0.0,
        lt=1.0,
        description="A scan that the last level shrinks below this factor along any direction is "
        "rejected",
    )
    max_scale: float = Field(
        2.0,
        gt=1.0,
        le=5.0,
        description="A scan that the last level stretches above this factor along any direction "
        "is rejected",
    )
    max_scale_ratio: float = Field(
        1.7,
        gt=1.0,
        le=5.0,
        description="Largest over smallest scale of any two directions, shears included, above "
        "which a scan is rejected",
    )
    min_correlation: float = Field(
        0.55,
        ge=-1.0,
        le=1.0,
        description="Correlation with the template at 4 mm below which a scan is rejected after "
        "the second try; not looked at with `mutual_information`",
    )
    min_overlap: float = Field(
        0.80,
        ge=0.0,
        le=1.0,
        description="Dice coefficient of the brain and the template's at 4 mm below which a scan "
        "is rejected after the second try",
    )


class RegistrationSettings(Settings):
    """How the brain is registered to the template, level by level."""

    voxel_mm: float = Field(
        2.0, ge=1.0, le=4.0, description="Voxel size at which brains are registered [mm]"
    )
    seed: int = Field(1, ge=1, le=2**31 - 1, description="Seed of ANTs' sampling")
    levels: tuple[LevelSettings, ...] = Field(
        (RIGID_DEFAULT, AFFINE_DEFAULT),
        min_length=1,
        max_length=3,
        description="The levels in order, each transform once and none freer than the next; a "
        "list given here replaces the whole default list",
    )
    retry: RetrySettings = Field(
        default_factory=RetrySettings, description="The second try of a level that failed"
    )
    limits: LimitSettings = Field(
        default_factory=LimitSettings, description="What the last level's result must keep"
    )

    @model_validator(mode="before")
    @classmethod
    def explain_levels(cls, raw: Any) -> Any:
        """Say where the settings of the two levels and the limits went."""
        if isinstance(raw, dict) and raw.keys() & {"min_scale", "max_scale"}:
            message = (
                "`min_scale` and `max_scale` are now keys of `limits`: limits: {min_scale: ...}"
            )
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
            message = (
                f"levels: expected each of {', '.join(FREEDOM)} at most once, in this order, "
                f"found {names}"
            )
            raise ValueError(message)
        if self.levels[0].initialisation == "previous":
            message = "levels: the first level needs an initialisation of its own, e.g. `search`"
            raise ValueError(message)
        return self
