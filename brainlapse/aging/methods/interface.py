"""What every method offers: fitted on training people, a distribution at asked ages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

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
    threads
        To fit with.
    """

    covariates: Covariates = field(default_factory=Covariates)
    axes: int = 16
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

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Return draws (count, m, p); the ages of a draw belong together."""


class Forecaster(Protocol):
    """A fitted method."""

    def needs(self, person: Person) -> str | None:
        """Return what the person lacks for a forecast, in a clause; None if nothing."""

    def forecast(self, person: Person, ages_years: np.ndarray, with_noise: bool) -> Distribution:
        """Forecast the values of a person.

        Parameters
        ----------
        person
            The scans that are seen, and no others.
        ages_years
            Asked ages (m,), not before the first scan seen.
        with_noise
            Whether draws hold the noise of a scan: yes for what will be measured.
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

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Return the centre, over and over."""
        return np.repeat(self.centre[None], count, axis=0)
