"""Fixed effects: what is expected of a person from age, sex and diagnosis alone.

Level at the first scan: constant, age then, and the other covariates. Rate: constant, age, and
the other covariates; a rate that changes with age adds up over the years, so its column is
t (age_first + t / 2 - centre). Time t is counted from the person's first scan [years].
"""

import functools
import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from brainlapse.aging.people import Covariate, Person

PEOPLE_PER_COLUMN = 8  # training people that each column of level or rate asks for
DECADE = 10.0  # [years]
AGE = "age"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Coding:
    """Numbers of one covariate.

    Attributes
    ----------
    name
        Column of the table of scans.
    levels
        Categories after the first, which is the reference; empty for a number.
    centre
        Mean over training people of each column, (columns,): stands in for what is missing.
    """

    name: str
    levels: tuple[str, ...]
    centre: np.ndarray

    def columns(self, person: Person) -> np.ndarray:
        """Return the centred columns of a person, (columns,); zero where it is not known."""
        value = person.covariates.get(self.name)
        if _missing(value):
            return np.zeros(len(self.centre))
        return _raw_columns(value, self.levels) - self.centre


@dataclass(frozen=True)
class Covariates:
    """Names of what level and rate depend on, in order of importance; ``age`` among them.

    Attributes
    ----------
    level
        Of the level, beside age at the first scan, which always counts.
    rate
        Of the rate. The default leaves sex out: it moves volumes much and rates little, and every
        column of the rate costs forecasts of small cohorts.
    """

    level: tuple[str, ...] = ("sex", "diagnosis")
    rate: tuple[str, ...] = (AGE, "diagnosis")


@dataclass(frozen=True)
class Design:
    """Columns of level and rate, fixed on training people.

    Attributes
    ----------
    age_centre_years
        Mean age of the training scans.
    level, rate
        Covariates of both, beside age.
    rate_with_age
        Whether the rate depends on age.
    """

    age_centre_years: float
    level: tuple[Coding, ...]
    rate: tuple[Coding, ...]
    rate_with_age: bool

    def rows(self, person: Person, ages_years: np.ndarray) -> np.ndarray:
        """Return the fixed effects of a person at some ages, (m, q), level columns first."""
        first = person.ages_years[0]
        time = np.asarray(ages_years, dtype=float) - first
        level = [1.0, (first - self.age_centre_years) / DECADE, *_columns(self.level, person)]
        rate = [time]
        if self.rate_with_age:
            rate.append(time * (first + time / 2 - self.age_centre_years) / DECADE)
        rate += [time * value for value in _columns(self.rate, person)]
        return np.column_stack([np.tile(level, (len(time), 1)), *rate])

    @property
    def n_level(self) -> int:
        """Number of columns of the level."""
        return 2 + sum(len(coding.centre) for coding in self.level)


def build_design(people: Sequence[Person], covariates: Covariates) -> Design:
    """Code the covariates on training people; those that would ask too much of them are dropped.

    A covariate takes part only while there are `PEOPLE_PER_COLUMN` people per column, and if it
    varies.
    """
    ages = np.concatenate([person.ages_years for person in people])
    level = _affordable(covariates.level, people, already=2)
    rate = _affordable(covariates.rate, people, already=1)
    return Design(
        age_centre_years=float(ages.mean()),
        level=tuple(coding for coding in level if coding is not None),
        rate=tuple(coding for coding in rate if coding is not None),
        rate_with_age=None in rate,
    )


def _affordable(
    names: Sequence[str], people: Sequence[Person], already: int
) -> list[Coding | None]:
    """Code what there are people enough for; None stands for age."""
    room = len(people) // PEOPLE_PER_COLUMN - already
    kept: list[Coding | None] = []
    for name in names:
        coding = None if name == AGE else _code(name, people)
        columns = 1 if name == AGE else len(coding.centre) if coding else 0
        if columns and columns <= room:
            room -= columns
            kept.append(coding)
        else:
            why = "too few people for it" if columns else "it is unknown or the same for all"
            _say(f"covariate {name} is left out, {len(people)} training people: {why}")
    return kept


@functools.cache
def _say(sentence: str) -> None:
    """Log a sentence once, not for every region again."""
    log.info(sentence)


def _columns(codings: Sequence[Coding], person: Person) -> np.ndarray:
    return np.concatenate([np.empty(0), *(coding.columns(person) for coding in codings)])


def _code(name: str, people: Sequence[Person]) -> Coding | None:
    known = [person.covariates.get(name) for person in people]
    known = [value for value in known if not _missing(value)]
    levels: tuple[str, ...] = ()
    if any(isinstance(value, str) for value in known):
        levels = tuple(sorted({str(value) for value in known}))[1:]
        if not levels:
            return None
    columns = np.array([_raw_columns(value, levels) for value in known])
    if not len(columns) or not columns.std(axis=0).all():
        return None
    return Coding(name, levels, columns.mean(axis=0))


def _raw_columns(value: object, levels: tuple[str, ...]) -> np.ndarray:
    if levels:
        return np.array([float(str(value) == level) for level in levels])
    return np.array([float(str(value))])


def _missing(value: Covariate) -> bool:
    return bool(pd.isna(value))
