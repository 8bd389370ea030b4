"""A line through the person's own scans, element by element (MRExtrap, Kapoor et al., Fig. 2a)."""

from collections.abc import Sequence

import numpy as np

from brainlapse.aging.methods.interface import FitSettings, Point
from brainlapse.aging.people import Person

MIN_SPAN_YEARS = 0.1


class SubjectOls:
    """Ordinary least squares on the person's own scans alone."""

    def needs(self, person: Person) -> str | None:
        """Return what the person lacks: two scans some time apart."""
        if np.ptp(person.ages_years) < MIN_SPAN_YEARS:
            return f"two scans at least {MIN_SPAN_YEARS} years apart"
        return None

    def forecast(self, person: Person, ages_years: np.ndarray, with_noise: bool) -> Point:
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
