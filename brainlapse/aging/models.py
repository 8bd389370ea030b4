"""Latent codes as functions of age, one straight line per latent element."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LatentLine:
    """A line in age for each latent element.

    Attributes
    ----------
    age_years : float
        Age at which the line passes through ``latent``.
    latent : np.ndarray
        float64, any shape.
    rate : np.ndarray
        Change per year, float64, shape of ``latent``.
    """

    age_years: float
    latent: np.ndarray
    rate: np.ndarray

    def at(self, age_years: float) -> np.ndarray:
        """Latent code at an age [years], float32."""
        return (self.latent + (age_years - self.age_years) * self.rate).astype(np.float32)


def fit_line(ages_years: np.ndarray, latents: np.ndarray) -> LatentLine:
    """Ordinary least squares of each latent element on age, within one subject.

    The forecast of MRExtrap (Kapoor et al., Fig. 2a).

    Parameters
    ----------
    ages_years : np.ndarray
        float (k,), k >= 2, not all the same.
    latents : np.ndarray
        (k, ...).

    Raises
    ------
    ValueError
        If no slope can be had from the ages.
    """
    ages = np.asarray(ages_years, dtype=float)
    if len(ages) < 2 or np.ptp(ages) == 0:
        message = f"a line needs scans at two ages, found {ages.tolist()}"
        raise ValueError(message)
    deviation, moment = _age_products(ages, latents)
    centre = latents.astype(np.float64).mean(axis=0)
    return LatentLine(float(ages.mean()), centre, moment / deviation)


def mean_rate(ages_years: np.ndarray, latents: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Mean change per year of each latent element, pooled within subjects.

    One slope is shared by all subjects, each with an intercept of its own: differences between
    subjects of different age do not enter. Subjects weigh by their scans' spread in age.

    Parameters
    ----------
    ages_years : np.ndarray
        float (N,).
    latents : np.ndarray
        (N, ...).
    groups : np.ndarray
        Subject keys (N,).

    Returns
    -------
    np.ndarray
        float64, shape of one latent.

    Raises
    ------
    ValueError
        If no subject has two ages.
    """
    ages = np.asarray(ages_years, dtype=float)
    deviation, moment = 0.0, np.zeros(latents.shape[1:])
    for subject in np.unique(groups):
        rows = np.flatnonzero(groups == subject)
        products = _age_products(ages[rows], latents[rows])
        deviation, moment = deviation + products[0], moment + products[1]
    if deviation == 0:
        message = "a mean rate needs a training subject with scans at two ages, found none"
        raise ValueError(message)
    return moment / deviation


def start_from(
    ages_years: np.ndarray, latents: np.ndarray, rate: np.ndarray, anchor: str
) -> LatentLine:
    """Line of a given rate from a subject's seen scans.

    Parameters
    ----------
    ages_years : np.ndarray
        float (k,), ascending, k >= 1.
    latents : np.ndarray
        (k, ...).
    rate : np.ndarray
        Change per year, shape of one latent.
    anchor : str
        "last": through the last scan; "mean": through the mean of all, which is the least
        squares intercept for this rate.
    """
    if anchor == "last":
        return LatentLine(float(ages_years[-1]), latents[-1].astype(np.float64), rate)
    centre = latents.astype(np.float64).mean(axis=0)
    return LatentLine(float(np.mean(ages_years)), centre, rate)


def interpolate(first: np.ndarray, last: np.ndarray, alpha: float) -> np.ndarray:
    """``alpha first + (1 - alpha) last`` (MRExtrap, Eq. 2), float32."""
    return (alpha * first.astype(np.float64) + (1 - alpha) * last).astype(np.float32)


def _age_products(ages: np.ndarray, latents: np.ndarray) -> tuple[float, np.ndarray]:
    """Sum of squared age deviations, and of age deviation times latent, of one subject."""
    centred = ages - ages.mean()
    return float(centred @ centred), np.tensordot(centred, latents.astype(np.float64), axes=1)
