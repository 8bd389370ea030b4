"""Random level and rate of log volumes, with heavy tails; no network.

The same model as of the directions of `bayes`, on regional volumes as they were measured.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brainlapse.aging.methods.interface import FitSettings
from brainlapse.aging.mixed.averaged import AveragedModel, Mixture, fit_averaged, predict_averaged
from brainlapse.aging.people import Person, people_with_change


@dataclass(frozen=True)
class Forecast:
    """Mixture of t distributions."""

    mixture: Mixture
    has_spread: bool = True

    @property
    def centre(self) -> np.ndarray:
        """The forecast, (m, p)."""
        return self.mixture.quantile(0.5)

    def quantile(self, probability: float) -> np.ndarray:
        """Return the quantile of every value, (m, p)."""
        return self.mixture.quantile(probability)


@dataclass(frozen=True)
class VolumeBayes:
    """The fitted model."""

    model: AveragedModel

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.model.size

    def only(self, elements: np.ndarray) -> "VolumeBayes":
        """Return the method for some elements."""
        return VolumeBayes(self.model.only(elements))

    def forecast(self, person: Person, ages_years: np.ndarray) -> Forecast:
        """Forecast in closed form from one scan or more."""
        return Forecast(predict_averaged(self.model, person, ages_years, with_noise=True))


def fit(people: Sequence[Person], settings: FitSettings) -> VolumeBayes:
    """Fit to training people; those with one scan count for the level."""
    people_with_change(people, "volume_bayes")
    return VolumeBayes(fit_averaged(people, settings.covariates))
