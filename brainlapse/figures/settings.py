"""Settings of the report."""

from pydantic import Field

from brainlapse.figures.viewer.settings import ViewerSettings
from brainlapse.settings import Settings


class ReportSettings(Settings):
    """How much the report shows, and at which size."""

    title: str = Field("brainlapse", description="Title on top of the page")
    max_qc_pictures: int = Field(
        300,
        ge=0,
        le=20000,
        description="Scans pictured on the quality page, rejected and flagged ones first; each "
        "adds about 40 kB to the page",
    )
    picture_width_px: int = Field(
        480, ge=120, le=2000, description="Width of a quality picture [pixels]"
    )
    slice_centre_mm: tuple[float, float, float] = Field(
        (24.0, -20.0, 8.0),
        description="Where brains in MNI space are cut: right, anterior, superior [mm]; the "
        "default meets the hippocampus, the third and the lateral ventricles",
    )
    forecast_subjects: int = Field(4, ge=1, le=24, description="Subjects whose forecasts are drawn")
    repeated_scans: int = Field(
        4,
        ge=0,
        le=1000,
        description="Scans that are turned by 3 degrees, processed and segmented again, for the "
        "noise floors of volumes; 0: none",
    )
    max_error: float = Field(
        0.25, gt=0, le=1, description="End of the colour scale of differences, normalised intensity"
    )
    dots_per_inch: int = Field(
        110, ge=50, le=400, description="Resolution of the figures [dots per inch]"
    )
    viewer: ViewerSettings = Field(
        default_factory=ViewerSettings, description="The page on which one slides the age"
    )
