"""The mean rate of training people, given age and diagnosis, from the scans seen on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
    anchor
        "last": starts at the last scan seen; "mean": at the mean of all, the least squares level.
    """

    design: Design
    beta: np.ndarray
    anchor: str

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.beta.shape[1]

    def only(self, elements: np.ndarray) -> "PopulationRate":
        """Return the method for some elements."""
        return replace(self, beta=self.beta[:, elements])

    def forecast(self, person: Person, ages_years: np.ndarray) -> Point:
        """Start at the last scan, or at the mean of all."""
        used = slice(-1, None) if self.anchor == "last" else slice(None)
        seen = self._rate_rows(person, person.ages_years[used]).mean(axis=0)
        start = person.values[used].astype(np.float64).mean(axis=0)
        asked = self._rate_rows(person, np.asarray(ages_years, dtype=float))
        return Point(start + (asked - seen) @ self.beta)

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
    return PopulationRate(design, np.linalg.lstsq(gram, moment, rcond=None)[0], settings.anchor)
