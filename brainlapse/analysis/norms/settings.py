"""Settings of the norms."""

from pydantic import Field

from brainlapse.settings import Settings


class NormSettings(Settings):
    """Who counts as control, and the curves over age."""

    controls: list[str] = Field(
        ["n/a", "control", "controls", "healthy", "hc", "cn", "normal"],
        min_length=1,
        description="Diagnoses of the people of the train split whom the curves are fitted to, "
        "upper or lower case; n/a stands for people without a diagnosis",
    )
    knots: int = Field(
        4,
        ge=2,
        le=10,
        description="Most knots of the spline of age, spread evenly over the controls, and at most "
        "one for 10 of them; 2: a line",
    )
    min_controls: int = Field(
        30,
        ge=15,
        le=10000,
        description="Fewest controls with a value of a region for a curve of it",
    )
