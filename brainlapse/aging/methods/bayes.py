"""Random level and rate of every latent element, and of a few directions of the whole latent.

Low rank plus diagonal: in a few directions (see `axes`) the heavy-tailed model averaged over the
spread of rates, in what they leave a Gaussian model of each element. Both are fitted on training
people by EM, and give a person's later latents in closed form from one scan or more; more scans
weigh more. The longer version of MRExtrap (arXiv 2508.19482) has priors of the rate per element.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brainlapse.aging.methods.axes import Axes, find_axes
from brainlapse.aging.methods.interface import FitSettings
from brainlapse.aging.mixed.averaged import AveragedModel, Mixture, fit_averaged, predict_averaged
from brainlapse.aging.mixed.model import MixedModel, MixedSettings, Prediction, fit_mixed, predict
from brainlapse.aging.people import Person, people_with_change

TOLERANCE = 0.05  # log-likelihood of an element
MAX_PASSES = 12


@dataclass(frozen=True)
class Joined:
    """Directions and what they leave, drawn apart and put together."""

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
        raise NotImplementedError("TODO")

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Return draws (count, m, p)."""
        return self.axes.join(self.scores.draw(count, rng), self.rest.draw(count, rng))


@dataclass(frozen=True)
class Bayes:
    """The fitted models."""

    axes: Axes
    scores: AveragedModel
    rest: MixedModel

    def needs(self, person: Person) -> str | None:
        """Return None: one scan is enough."""
        return None

    def forecast(self, person: Person, ages_years: np.ndarray, with_noise: bool) -> Joined:
        """Forecast directions and elements."""
        scores, rest = (
            Person(person.ages_years, values, person.covariates)
            for values in self.axes.split(person.values)
        )
        return Joined(
            self.axes,
            predict_averaged(self.scores, scores, ages_years, with_noise),
            predict(self.rest, rest, ages_years, with_noise),
        )


def fit(people: Sequence[Person], settings: FitSettings) -> Bayes:
    """Find the directions, then fit both models; people with one scan count for the level."""
    axes = find_axes(people_with_change(people, "bayes"), settings.axes)
    scores, rest = [], []
    for person in people:
        parts = axes.split(person.values)
        for kept, values in zip((scores, rest), parts, strict=True):
            kept.append(Person(person.ages_years, values, person.covariates))
    elements = MixedSettings(
        settings.covariates, None, TOLERANCE, MAX_PASSES, threads=settings.threads
    )
    return Bayes(
        axes=axes,
        scores=fit_averaged(scores, settings.covariates),
        rest=fit_mixed(rest, elements),
    )
