"""One person's scans as forecasts see them: ages, values, covariates."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

Covariate = float | str | None
COVARIATES = ("sex", "diagnosis")


@dataclass(frozen=True)
class Person:
    """Scans of one person in order of age.

    Attributes
    ----------
    ages_years
        float64 (k,), ascending; ages may repeat.
    values
        (k, p): latents, log volumes or voxels, one row per scan.
    covariates
        Sex, diagnosis and the like by name; None where unknown.
    """

    ages_years: np.ndarray
    values: np.ndarray
    covariates: Mapping[str, Covariate] = field(default_factory=dict)

    def first(self, count: int) -> "Person":
        """Return the person as known after the first `count` scans."""
        return self.between(0, count)

    def between(self, start: int, stop: int) -> "Person":
        """Return the person with some scans only."""
        return Person(self.ages_years[start:stop], self.values[start:stop], self.covariates)

    @property
    def has_two_ages(self) -> bool:
        """Whether a change can be seen at all."""
        return bool(np.ptp(self.ages_years) > 0)


def covariates_of(scans: pd.DataFrame) -> dict[str, Covariate]:
    """Sex and diagnosis of one person at the first scan; None where unknown or not a column."""
    first = scans.iloc[0]
    known = {name: first[name] for name in COVARIATES if name in scans}
    return {name: str(value) for name, value in known.items() if pd.notna(value)}


def people_with_change(people: Iterable[Person], what: str) -> list[Person]:
    """Return the people seen at two ages.

    Raises
    ------
    ValueError
        If there is none: no rate can be had.
    """
    kept = [person for person in people if person.has_two_ages]
    if not kept:
        message = (
            f"{what} needs a training subject with scans at two ages, found none; take copy_last "
            "or subject_ols, or add a longitudinal data set of role fit"
        )
        raise ValueError(message)
    return kept
