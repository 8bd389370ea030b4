"""Settings of the cohort stage: the data sets, plausibility limits and the split."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from brainlapse.settings import Place, Settings
from brainlapse.simulation.settings import SimulationSettings


class DatasetSettings(Settings):
    """One data set: a BIDS folder, or a simulated cohort."""

    bids: Place | None = Field(
        None, min_length=1, description="Folder of a BIDS data set with T1w scans (~ is expanded)"
    )
    simulate: SimulationSettings | None = Field(
        None, description="Make this data set by simulation, with known truth, in place of `bids`"
    )
    role: Literal["fit", "apply"] = Field(
        "fit",
        description="fit: may train autoencoders; apply: is only encoded and analysed",
    )

    preprocessed: bool = Field(
        False,
        description="The T1w images are brains in MNI space from another tool, stripped and on a "
        "constant background: they are measured, brought to the grid and the scale of "
        "intensities, and neither masked nor registered again; required where "
        "simulate.brains draws such brains [switch]",
    )
    people: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="Name of the people in this data set: where two data sets give the same name, "
        "an equal subject label is one person; left out: the people are this data "
        "set's own [letters, digits, - and _]",
    )

    @model_validator(mode="after")
    def check_one_source(self) -> Self:
        """Refuse a data set with two sources or none."""
        if (self.bids is None) == (self.simulate is None):
            found = "neither" if self.bids is None else "both"
            message = f"give exactly one of bids (a folder) and simulate (settings); found {found}"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def check_preprocessed(self) -> Self:
        """Refuse simulated heads that would be taken for brains, and the reverse."""
        if self.simulate and self.preprocessed != (self.simulate.brains is not None):
            message = (
                "simulate draws heads, and with simulate.brains brains in MNI space: expected "
                f"preprocessed: {str(self.simulate.brains is not None).lower()}"
            )
            raise ValueError(message)
        return self


class CohortSettings(Settings):
    """Which scans are plausible, and how subjects are split."""

    validation_fraction: float = Field(
        0.15, ge=0, lt=1, description="Expected share of fit subjects that select models [fraction]"
    )
    test_fraction: float = Field(
        0.2,
        ge=0,
        lt=1,
        description="Expected share of fit subjects that nothing is fitted on [fraction]",
    )
    min_age_years: float = Field(
        1.0, ge=0, le=120, description="Ages below are taken as missing, with a note [years]"
    )
    max_age_years: float = Field(
        120.0,
        gt=0,
        le=150,
        description="Ages above (such as 999) are taken as missing, with a note [years]",
    )
    min_voxel_mm: float = Field(
        0.2, gt=0, le=10, description="Scans with a smaller voxel edge are rejected [mm]"
    )
    max_voxel_mm: float = Field(
        6.0, gt=0, le=20, description="Scans with a longer voxel edge are rejected [mm]"
    )
    min_extent_mm: float = Field(
        80.0,
        gt=0,
        le=300,
        description="Scans whose field of view is shorter along any axis cannot hold a brain and "
        "are rejected [mm]",
    )
    max_extent_mm: float = Field(
        600.0,
        gt=0,
        le=2000,
        description="Scans whose field of view is longer along any axis are rejected [mm]",
    )

    require: dict[str, Annotated[float, Field(gt=0, le=1)]] = Field(
        {},
        description="Columns of scans.tsv, or of your tables, that this share of each data set's "
        "scans must have, such as {age_years: 0.9}; the run ends before any scan is "
        "opened where it does not [fraction by column]",
    )
    max_scan_mb: float = Field(
        1000.0,
        gt=0,
        le=100_000,
        description="Larger files, packed or unpacked, are rejected before they are read [MB]",
    )

    @model_validator(mode="after")
    def check_order(self) -> Self:
        """Refuse limits that leave nothing between them."""
        share = self.validation_fraction + self.test_fraction
        if share >= 1:
            message = (
                f"validation_fraction + test_fraction is {share:g}; it must stay below 1, "
                "so that subjects are left to train on"
            )
            raise ValueError(message)
        for quantity in ("age_years", "voxel_mm", "extent_mm"):
            low, high = getattr(self, f"min_{quantity}"), getattr(self, f"max_{quantity}")
            if low >= high:
                message = f"min_{quantity} ({low:g}) must be below max_{quantity} ({high:g})"
                raise ValueError(message)
        return self
