"""Random level and rate of every latent element, and of a few directions of the whole latent.

Low rank plus diagonal: in a few directions (see `axes`) the heavy-tailed model averaged over the
spread of rates, in what they leave a Gaussian model of each element. Both are fitted on training
people by EM, and give a person's later latents in closed form from one scan or more; more scans
weigh more. The longer version of MRExtrap (arXiv 2508.19482) has priors of the rate per element.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from brainlapse.aging.methods.axes import Axes, find_axes
from brainlapse.aging.methods.interface import FitSettings
from brainlapse.aging.mixed.averaged import AveragedModel, Mixture, fit_averaged, predict_averaged
from brainlapse.aging.mixed.model import MixedModel, MixedSettings, Prediction, fit_mixed, predict
from brainlapse.aging.people import Person, people_with_change

TOLERANCE = 0.05  # log-likelihood of an element
MAX_PASSES = 12


@dataclass(frozen=True)
class Joined:
    """Directions and what they leave, put together.

    Attributes
    ----------
    axes
        The directions.
    scores
        Forecast along them.
    rest
        Forecast of what they leave.
    """

    axes: Axes
    scores: Mixture
    rest: Prediction
    has_spread: bool = True

    @property
    def centre(self) -> np.ndarray:
        """The forecast, (m, p)."""
        return self.axes.join(self.scores.quantile(0.5), self.rest.mean)

    def quantile(self, probability: float) -> np.ndarray:
        """Return the quantile of every element, (m, p), as of a Gaussian of the same variance."""
        along = self.scores.variance() @ (self.axes.directions.T.astype(np.float64) ** 2)
        variance = along + np.einsum("mmp->mp", self.rest.covariance)
        return self.centre + stats.norm.ppf(probability) * np.sqrt(variance)


@dataclass(frozen=True)
class Bayes:
    """The fitted models of directions and of what they leave."""

    axes: Axes
    scores: AveragedModel
    rest: MixedModel

    @property
    def size(self) -> int:
        """Number of elements."""
        return len(self.axes.directions)

    def forecast(self, person: Person, ages_years: np.ndarray) -> Joined:
        """Forecast directions and elements."""
        scores, rest = _split(self.axes, person)
        return Joined(
            self.axes,
            predict_averaged(self.scores, scores, ages_years, with_noise=True),
            predict(self.rest, rest, ages_years, with_noise=True),
        )


def fit(people: Sequence[Person], settings: FitSettings) -> Bayes:
    """Find the directions, then fit both models; people with one scan count for the level."""
    axes = find_axes(people_with_change(people, "bayes"), settings.axes)
    parts = [_split(axes, person) for person in people]
    elements = MixedSettings(
        settings.covariates, None, TOLERANCE, MAX_PASSES, threads=settings.threads
    )
    return Bayes(
        axes=axes,
        scores=fit_averaged([scores for scores, _ in parts], settings.covariates),
        rest=fit_mixed([rest for _, rest in parts], elements),
    )


def _split(axes: Axes, person: Person) -> tuple[Person, Person]:
    scores, rest = axes.split(person.values)
    return (
        Person(person.ages_years, scores, person.covariates),
        Person(person.ages_years, rest, person.covariates),
    )
