"""Who is best, among several that were judged on the same people, and whether that is sure."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd
from scipy.stats import norm, t

RESAMPLES = 2000
FEWEST = 6  # people: of fewer, all differ to one side by chance in more than 3 of 100 cases
STANDING_COLUMNS = [
    *("value", "ci_low", "ci_high", "n_subjects", "best", "than"),
    *("gap", "gap_low", "gap_high"),
]


def rank_paired(
    names: Sequence[str],
    metric: Callable[[int, np.ndarray], float],
    person: np.ndarray,
    *,
    higher: bool,
    seed: int,
) -> pd.DataFrame:
    """Compare competitors by a paired bootstrap over people: the same draws for all.

    Parameters
    ----------
    names
        Competitors.
    metric
        Value of a competitor (its number) on rows, int (n,), which may repeat.
    person
        Whose each row is (N,).
    higher
        Whether more is better.
    seed
        Seed of the draws.

    Returns
    -------
    pandas.DataFrame
        A row per name: ``STANDING_COLUMNS``. ``than`` is the best of the others, ``gap`` the value
        less that of it. ``best`` only where 6 people are there and the intervals of the
        differences to all others exclude zero. Intervals: 95 % percentiles, widened for few people
        (Hesterberg 2015, doi 10.1080/00031305.2015.1089789).
    """
    people, everybody = np.unique(person), np.arange(len(person))
    values = np.array([metric(number, everybody) for number in range(len(names))])
    draws = np.full((RESAMPLES if len(people) > 1 else 0, len(names)), np.nan)
    for draw, rows in zip(draws, draw_people(person, len(draws), seed), strict=True):
        draw[:] = [metric(number, rows) for number in range(len(names))]
    records = []
    order = np.argsort(-values if higher else values, kind="stable")
    for number, name in enumerate(names):
        low, high = interval(draws[:, number], len(people))
        record = {"value": values[number], "ci_low": low, "ci_high": high, "best": False}
        if len(names) > 1 and np.isfinite(values).all():
            rival = order[1] if number == order[0] else order[0]
            ends = interval(draws[:, number] - draws[:, rival], len(people))
            record |= {"than": names[rival], "gap": values[number] - values[rival]}
            record |= dict(zip(("gap_low", "gap_high"), ends, strict=True))
            record["best"] = bool(
                number == order[0]
                and len(people) >= FEWEST
                and all(
                    _apart(draws[:, number] - draws[:, other], len(people)) for other in order[1:]
                )
            )
        records.append({"model": name, "n_subjects": len(people), **record})
    return pd.DataFrame(records, columns=["model", *STANDING_COLUMNS])


def draw_people(person: np.ndarray, samples: int, seed: int) -> Iterator[np.ndarray]:
    """Draw people with replacement, as many as there are: yield the rows of each drawing.

    Parameters
    ----------
    person
        Whose each row is (N,).
    """
    people, member = np.unique(person, return_inverse=True)
    rows_of = [np.flatnonzero(member == number) for number in range(len(people))]
    generator = np.random.default_rng(seed)
    for _ in range(samples):
        drawn = generator.integers(len(people), size=len(people))
        yield np.concatenate([rows_of[number] for number in drawn])


def interval(draws: np.ndarray, people: int) -> tuple[float, float]:
    """95 % percentile interval of finite draws, widened for few people.

    NaN where there are none, and where all say the same: somebody else may still differ.
    """
    finite = draws[np.isfinite(draws)]
    if not len(finite) or np.ptp(finite) == 0:
        return np.nan, np.nan
    tail = norm.cdf(np.sqrt(people / (people - 1)) * t.ppf(0.025, people - 1))
    low, high = np.percentile(finite, [100 * tail, 100 * (1 - tail)])
    return float(low), float(high)


def _apart(differences: np.ndarray, people: int) -> bool:
    low, high = interval(differences, people)
    return low > 0 or high < 0
