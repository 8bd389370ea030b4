"""A line through the person's own scans, element by element (MRExtrap, Kapoor et al., Fig. 2a)."""

from collections.abc import Sequence

import numpy as np

from brainlapse.aging.methods.interface import FitSettings, Point
from brainlapse.aging.people import Person


class SubjectOls:
    """Ordinary least squares on the person's own scans alone."""

    def forecast(self, person: Person, ages_years: np.ndarray) -> Point:
        """Continue the line.

        Raises
        ------
        ValueError
            If all scans are of one age.
        """
        ages, values = person.ages_years, person.values.astype(np.float64)
        if not person.has_two_ages:
            message = f"a line needs scans at two ages, found {ages.tolist()}"
            raise ValueError(message)
        centred = ages - ages.mean()
        rate = centred @ values / (centred @ centred)
        time = np.asarray(ages_years, dtype=float) - ages.mean()
        return Point(values.mean(axis=0) + time[:, None] * rate)


def fit(people: Sequence[Person], settings: FitSettings) -> SubjectOls:
    """Fit nothing: other people play no part."""
    return SubjectOls()
