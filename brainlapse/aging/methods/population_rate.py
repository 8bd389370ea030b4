"""The mean rate of training people, given age, sex and diagnosis, from the last scan on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brainlapse.aging.methods.interface import FitSettings, Point
from brainlapse.aging.mixed.design import Design, build_design
from brainlapse.aging.people import Person, people_with_change


@dataclass(frozen=True)
class PopulationRate:
    """Change as a function of age and covariates.

    Attributes
    ----------
    design
        Of level and rate; only the rate's columns are used.
    beta
        Change per unit of the rate's columns, (q, p).
    """

    design: Design
    beta: np.ndarray

    def needs(self, person: Person) -> str | None:
        """Return None: one scan is enough."""
        return None

    def forecast(self, person: Person, ages_years: np.ndarray, with_noise: bool) -> Point:
        """Start at the last scan."""
        asked = self._rate_rows(person, np.asarray(ages_years, dtype=float))
        last = self._rate_rows(person, person.ages_years[-1:])
        return Point(person.values[-1].astype(np.float64) + (asked - last) @ self.beta)

    def _rate_rows(self, person: Person, ages_years: np.ndarray) -> np.ndarray:
        return self.design.rows(person, ages_years)[:, self.design.n_level :]


def fit(people: Sequence[Person], settings: FitSettings) -> PopulationRate:
    """Pool within people, each with a level of their own: differences between them don't enter."""
    changing = people_with_change(people, "population_rate")
    design = build_design(changing, settings.covariates)
    gram: np.ndarray = np.zeros(())
    moment: np.ndarray = np.zeros(())
    for person in changing:
        rows = design.rows(person, person.ages_years)[:, design.n_level :]
        centred = rows - rows.mean(axis=0)
        gram = gram + centred.T @ centred
        moment = moment + centred.T @ person.values.astype(np.float64)
    return PopulationRate(design, np.linalg.lstsq(gram, moment, rcond=None)[0])
