"""People whose level, rate and noise are planted."""

import numpy as np

from brainlapse.aging.people import Person


def plant(count, visits, loadings, *, seed, rate=0.5, own=0.05, noise=0.3, age_rate=0.0):
    """Make people whose values run on lines of their own; rates differ along `loadings` (K, p).

    The mean rate is `rate` per year at 70 years, and rises by `age_rate` per decade.
    """
    generator = np.random.default_rng(seed)
    n_elements = loadings.shape[1]
    people = []
    for number in range(count):
        ages = generator.uniform(60, 80) + np.cumsum(generator.uniform(0.7, 2.0, visits))
        slope = rate + generator.normal(size=len(loadings)) @ loadings
        slope = slope + own * generator.normal(size=n_elements)
        time = (ages - ages[0])[:, None]
        turn = age_rate * time * (ages[0] + time / 2 - 70) / 10
        level = 2 * generator.normal(size=n_elements)
        scatter = noise * generator.normal(size=(visits, n_elements))
        values = level + time * slope + turn + scatter
        people.append(Person(ages, values, {"sex": "FM"[number % 2]}))
    return people


def rmse(fitted, people, seen):
    """Error of the scans after the first few, over all people."""
    squares = [
        (
            fitted.forecast(person.first(seen), person.ages_years[seen:]).centre
            - person.values[seen:]
        )
        ** 2
        for person in people
    ]
    return float(np.sqrt(np.mean(squares)))
