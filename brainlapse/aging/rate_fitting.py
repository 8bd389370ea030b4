"""Rates of a run's training people: fitted once for all forecasts, and to travel with the model."""

import numpy as np
import pandas as pd

from brainlapse.aging.forecast import gather_people
from brainlapse.aging.methods.interface import FitSettings, Forecaster
from brainlapse.aging.methods.named import LATENT_METHODS, LOG_VOLUME_METHODS
from brainlapse.aging.plan import BAYES_SUBJECTS, BROUGHT, count_rates, tells_rates, training_scans
from brainlapse.aging.rates import Rates
from brainlapse.aging.volumes import person_of, tabulate
from brainlapse.cohort.tables import PERSON, SCAN

PEOPLE_NEEDED = {"population_rate": 1, "bayes": BAYES_SUBJECTS}  # with scans at two ages


def rates_of_run(latents: np.ndarray, index: pd.DataFrame, brought: Rates) -> Rates:
    """Return the rates of latents that all forecasts of a run use.

    Where training people don't tell the rates, those count that came along with the model.

    Parameters
    ----------
    latents
        (N, C, d, h, w).
    index
        One row per latent.
    brought
        Rates of the run that trained the model, if they came along.
    """
    fitted = fit_latent_rates(latents, index)
    return Rates(fitted if tells_rates(index) else fitted | brought.latents)


def fit_latent_rates(latents: np.ndarray, index: pd.DataFrame) -> dict[str, Forecaster]:
    """Fit each of `BROUGHT` that the training people of a run allow."""
    changing = count_rates(index)
    possible = [name for name in BROUGHT if changing >= PEOPLE_NEEDED[name]]
    if not possible:
        return {}
    people = list(gather_people(training_scans(index), latents, index).values())
    return {name: LATENT_METHODS[name](people, FitSettings()) for name in possible}


def fit_rates(latents: np.ndarray, index: pd.DataFrame, volumes: pd.DataFrame) -> Rates:
    """Fit all methods that learn from others to the training people of a run.

    Parameters
    ----------
    latents
        (N, C, d, h, w).
    index
        One row per latent.
    volumes
        ``volumes.tsv``; without rows where nothing was segmented.
    """
    training, fitted = training_scans(index), fit_latent_rates(latents, index)
    real = volumes[volumes["kind"] == "real"] if len(volumes) else volumes
    backends = sorted(real["backend"].dropna().unique()) if len(real) else []
    if len(backends) != 1:
        return Rates(fitted)
    mm3 = real.set_index(["dataset", "scan", "region"])["volume_mm3"].astype(float)
    table = tabulate(mm3, training, sorted(real["region"].unique()))
    known = table.dropna(how="all").dropna(axis="columns")
    logs = known.apply(np.log)
    measured = training.set_index(SCAN).loc[known.index].groupby(PERSON, sort=True)
    logged = [person_of(scans, logs) for _, scans in measured]
    if known.empty or sum(person.has_two_ages for person in logged) < BAYES_SUBJECTS:
        return Rates(fitted)
    on_volumes = {name: fit(logged, FitSettings()) for name, fit in LOG_VOLUME_METHODS.items()}
    return Rates(fitted, on_volumes, tuple(map(str, known.columns)), str(backends[0]))
