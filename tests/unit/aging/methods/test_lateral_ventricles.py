"""Real change: 74 people with three waves (../shared/data/longitudinal/lvv_ri.csv)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from brainlapse.aging.methods import copy_last, population_rate, subject_ols, volume_bayes
from brainlapse.aging.methods.interface import FitSettings
from brainlapse.aging.people import Person

TABLE = Path(__file__).parents[4].parent / "shared/data/longitudinal/lvv_ri.csv"
SETTINGS = FitSettings()
MEAN_RATE_ERROR_PCT = 3.45  # of the mean rate of the others, a line of arithmetic

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not TABLE.is_file(), reason=f"../shared/data lacks {TABLE.name}"),
]


@pytest.fixture(scope="module")
def people():
    table = pd.read_csv(TABLE)
    waves = ("W1", "W2", "W3")
    ages = table[[f"AcquisitionYears{wave}" for wave in waves]].to_numpy(dtype=float)
    left, right = (
        table[[f"{side}-Lateral-Ventricle_{wave}" for wave in waves]].to_numpy(dtype=float)
        for side in ("Left", "Right")
    )
    log_volumes = np.log(left + right)
    return [
        Person(years, values[:, None], {"sex": sex})
        for years, values, sex in zip(ages, log_volumes, table["Sex"], strict=True)
    ]


def forecasts(method, people):
    """Forecast of wave 3 from 1 and 2, one person at a time left out of the fit."""
    for number, person in enumerate(people):
        fitted = method.fit(people[:number] + people[number + 1 :], SETTINGS)
        yield fitted.forecast(person.first(2), person.ages_years[2:])


def error_pct(centres, people):
    truth = np.array([person.values[2, 0] for person in people])
    return float(100 * np.mean(np.abs(np.expm1(np.array(centres) - truth))))


@pytest.fixture(scope="module")
def bayes(people):
    """Centre and spread of the log volume, (74,) each."""
    found = list(forecasts(volume_bayes, people))
    quantiles = [[f.quantile(p)[0, 0] for p in (0.5, *stats.norm.cdf([-1, 1]))] for f in found]
    centre, low, high = np.array(quantiles).T
    return centre, (high - low) / 2, found


def test_bayes_errs_no_more_than_the_mean_rate(people, bayes):
    errors = {
        name: error_pct([f.centre[0, 0] for f in forecasts(method, people)], people)
        for name, method in (("copy", copy_last), ("line", subject_ols), ("rate", population_rate))
    }
    ours = error_pct(bayes[0], people)
    print({**errors, "bayes": ours})
    assert ours <= MEAN_RATE_ERROR_PCT
    assert ours < errors["line"] < errors["copy"]
    assert errors["rate"] == pytest.approx(MEAN_RATE_ERROR_PCT, abs=0.1)
