"""Settings of the ageing analyses."""

import re
from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator

from brainlapse.settings import Settings

Method = Literal[
    "linear",
    "population_rate",
    "bayes",
    "linear_warped",
    "population_rate_warped",
    "bayes_warped",
    "voxel_linear",
]
HeldOutSplit = Literal["validation", "test", "apply"]
EXTERNAL_NAME = r"[a-z][a-z0-9]{0,29}"  # part of file names, BIDS labels among them
RESERVED = {"reconstruction", "reconstructed"}


class ExternalSettings(Settings):
    """Forecasts that another tool made."""

    folder: str = Field(
        min_length=1,
        description="Folder with an image per forecast, named as ours (docs/ageing.md) [path]; "
        "what is not there is not judged.",
    )
    space: Literal["MNI", "native"] = Field(
        "MNI",
        description="MNI: MNI152 space, on any grid; native: that of the last raw scan seen "
        "[choice].",
    )


class AgingSettings(Settings):
    """Forecasts of later scans and interpolation between scans."""

    splits: list[HeldOutSplit] = Field(
        ["validation", "test", "apply"],
        min_length=1,
        description="Splits whose subjects are forecast; training subjects never are, methods "
        "are fitted to them. Validation subjects choose the default method and calibrate "
        "intervals, and are not judged [choices].",
    )
    methods: list[Method] = Field(
        ["linear", "population_rate", "bayes"],
        min_length=1,
        description="linear: line through the subject's own scans; population_rate: mean rate of "
        "the training subjects; bayes: both, weighed by what the training subjects' spread of "
        "rates and scatter of scans tell; each with _warped: the last scan seen, its borders "
        "moved as those of its reconstruction move to the decoded forecast; voxel_linear: a line "
        "through the voxels of the subject's own scans, no network [choices].",
    )
    external: dict[str, ExternalSettings] = Field(
        default_factory=dict,
        description="Forecasts of other tools by name, judged beside ours: folder and space.",
    )
    scans_seen: list[Annotated[int, Field(ge=1, le=100)]] = Field(
        [1, 2],
        min_length=1,
        description="Numbers of first scans a forecast may see; linear needs 2 [count], 1-100.",
    )
    min_horizon_years: float = Field(
        0.0,
        ge=0,
        le=100,
        description="Targets lie more than this after the last scan seen [years], 0-100.",
    )
    min_seen_span_years: float = Field(
        0.1,
        gt=0,
        le=100,
        description="Least time between first and last scan seen for a line through them "
        "[years], 0-100.",
    )
    anchor: Literal["last", "mean"] = Field(
        "last",
        description="Where the population rate starts: at the last scan seen, or at the mean "
        "age and mean latent of all scans seen [choice].",
    )
    alphas: list[Annotated[float, Field(ge=-1, le=2)]] = Field(
        [-0.25, 0.0, 0.25, 0.5, 0.75, 1.0, 1.25],
        min_length=3,
        description="Weights of the first scan in the interpolation between a subject's first "
        "and last, beyond 0 and 1 an extrapolation [dimensionless], -1 to 2.",
    )
    min_linearity_r2: float = Field(
        0.9,
        ge=0,
        le=1,
        description="R2 of the volumes of interpolated scans against the line between the real "
        "ones below which a subject's region counts as not linear [dimensionless], 0-1.",
    )
    min_linearity_change_pct: float = Field(
        5.0,
        ge=0,
        le=100,
        description="Real change of a region below which it says nothing of linearity "
        "[% of its volume], 0-100.",
    )
    interpolation_subjects: int = Field(
        6,
        ge=0,
        le=10000,
        description="Subjects interpolated at most, in order of name [count], 0-10000.",
    )

    @field_validator("external")
    @classmethod
    def _check_names(cls, value: dict[str, ExternalSettings]) -> dict[str, ExternalSettings]:
        taken = RESERVED | {method.replace("_", "") for method in get_args(Method)}
        for name in value:
            if not re.fullmatch(EXTERNAL_NAME, name) or name in taken:
                message = (
                    f"{name}: expected a name of small letters and digits that no method of ours "
                    "has"
                )
                raise ValueError(message)
        return value

    @field_validator("methods", "scans_seen", "alphas", "splits")
    @classmethod
    def _check_no_repeats(cls, values: list) -> list:
        if len(set(values)) != len(values):
            message = f"expected each value once, found {values}"
            raise ValueError(message)
        return values
