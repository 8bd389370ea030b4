"""Settings of forecasts on request."""

from pydantic import Field

from brainlapse.settings import Place, Settings


class PredictionSettings(Settings):
    """Forecasts that someone asks for (config key ``predict``)."""

    requests: Place | None = Field(
        None,
        description="Table of what to forecast, with the columns subject, age_years and, where "
        "several data sets know the subject, dataset; for the target predict",
    )
