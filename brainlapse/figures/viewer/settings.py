"""Settings of the viewer."""

from pydantic import Field

from brainlapse.settings import Settings


class ViewerSettings(Settings):
    """Whose forecasts the viewer shows, and how large its pages may be."""

    model: str | None = Field(
        None, description="Autoencoder whose forecasts are shown; the first one if left out"
    )
    subjects: int = Field(12, ge=1, le=200, description="People shown, those with forecasts first")
    series: int = Field(
        4,
        ge=1,
        le=20,
        description="Forecasts of a person: pairs of method and number of scans seen, most scans "
        "first",
    )
    page_mb: float = Field(
        25.0, ge=5, le=200, description="Size of a page [MB]; people beyond it go to further pages"
    )
