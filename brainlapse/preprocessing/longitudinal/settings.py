"""Settings of the longitudinal stage."""

from pydantic import Field

from brainlapse.settings import Settings


class LongitudinalSettings(Settings):
    """How the visits of one person are processed together."""

    enabled: bool = Field(
        True,
        description="Bring the visits of a person together: each later visit is aligned to the "
        "first and shares its affine, mask and intensity scale. `false`: every visit is processed "
        "as if it were a stranger's.",
    )
    min_correlation: float = Field(
        0.93,
        gt=0.0,
        lt=1.0,
        description="Correlation of two visits at 4 mm, rigidly aligned, below which they are not "
        "taken for the same person",
    )
    min_coverage: float = Field(
        0.95,
        ge=0.5,
        le=1.0,
        description="Share of a visit's own brain that must lie inside the mask of the visit that "
        "it joins; else the earlier brain was cut off, and the visit stands alone",
    )
    field_fwhm_mm: float = Field(
        30.0,
        ge=10.0,
        le=100.0,
        description="Width of the Gaussian windows in which two visits are brought to the same "
        "brightness (differential bias correction) [mm]",
    )
