"""What every method offers: fitted on training people, a distribution at asked ages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np

from brainlapse.aging.mixed.design import Covariates
from brainlapse.aging.people import Person


@dataclass(frozen=True)
class FitSettings:
    """What methods may be told when they are fitted.

    Attributes
    ----------
    covariates
        Of level and rate.
    axes
        Directions of the latents whose change is modelled as a whole; `bayes` only.
    anchor
        Where a mean rate starts: at the last scan seen, or at the mean of all seen.
    threads
        To fit with.
    """

    covariates: Covariates = field(default_factory=Covariates)
    axes: int = 16
    anchor: Literal["last", "mean"] = "last"
    threads: int = 1


class Distribution(Protocol):
    """Values at m asked ages.

    Attributes
    ----------
    centre
        The forecast, (m, p): median of the distribution.
    has_spread
        False for methods that give the centre only.
    """

    @property
    def centre(self) -> np.ndarray:
        """The forecast, (m, p)."""

    @property
    def has_spread(self) -> bool:
        """Whether the method says how sure it is."""

    def quantile(self, probability: float) -> np.ndarray:
        """Return the quantile of every value, (m, p)."""


class Forecaster(Protocol):
    """A fitted method."""

    def forecast(self, person: Person, ages_years: np.ndarray) -> Distribution:
        """Forecast what scans of a person will show, their noise included.

        Parameters
        ----------
        person
            The scans that are seen, and no others.
        ages_years
            Asked ages (m,), not before the first scan seen.

        Raises
        ------
        ValueError
            If the scans do not suffice.
        """


Fit = Callable[[Sequence[Person], FitSettings], Forecaster]


@dataclass(frozen=True)
class Point:
    """A forecast without spread."""

    centre: np.ndarray
    has_spread: bool = False

    def quantile(self, probability: float) -> np.ndarray:
        """Return the centre, whatever the probability."""
        return self.centre
