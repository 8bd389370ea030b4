"""Where each scan stands in the norm of a region, by curves that its person was not fitted to."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from brainlapse.analysis.norms.curves import Curve, NoCurve, fit_curve
from brainlapse.analysis.norms.people import FOLDS, NOT_FITTED, NormScans
from brainlapse.analysis.norms.settings import NormSettings

PER_KNOT = 10  # controls: fewer would draw waves
BY_ALL, BY_OTHERS = "curves", "curves without the person"
NO_SEX = "there is no curve of this sex"


@dataclass(frozen=True)
class RegionNorm:
    """The curve of all controls, and by fold those without the people of the fold."""

    curve: Curve
    without: dict[int, Curve]


def fit_region(
    values: np.ndarray, people: NormScans, settings: NormSettings, logarithmic: bool = True
) -> RegionNorm:
    """Fit the curves of one region.

    Parameters
    ----------
    values
        Of every scan, above zero if logarithmic, or NaN, float (N,).

    Raises
    ------
    NoCurve
        If there are too few controls with a value, or all have the same.
    """
    fitted = people.fitted & np.isfinite(values)
    if fitted.sum() < settings.min_controls:
        message = f"expected {settings.min_controls} controls with a value, found {fitted.sum()}"
        raise NoCurve(message)
    knots = max(2, min(settings.knots, int(fitted.sum()) // PER_KNOT))

    def fit(chosen: np.ndarray) -> Curve:
        parts = (values[chosen], people.ages_years[chosen], people.sex[chosen])
        return fit_curve(*parts, people.sexes, knots, logarithmic)

    folds = range(FOLDS)
    return RegionNorm(fit(fitted), {fold: fit(fitted & (people.folds != fold)) for fold in folds})


def score_region(values: np.ndarray, people: NormScans, norm: RegionNorm) -> pd.DataFrame:
    """Hold every scan against the curve that its person was not fitted to.

    Returns
    -------
    pandas.DataFrame
        z_score, centile [%], outside_ages, scored_by and note of every scan. There are no numbers
        outside the ages of the controls fitted, and of people of whose sex there is no curve.
    """
    ages, sex, has_curve = people.ages_years, people.sex, people.has_curve()
    z_scores, centiles = np.full((2, len(values)), np.nan)
    outside = np.zeros(len(values), dtype=bool)
    for fold, curve in {NOT_FITTED: norm.curve, **norm.without}.items():
        mine = people.folds == fold
        outside[mine] = ~curve.covers(ages[mine])
        known = mine & has_curve & ~outside & np.isfinite(values)
        z_scores[known] = curve.z_scores(values[known], ages[known], sex[known])
        centiles[known] = curve.centiles(values[known], ages[known], sex[known])
    return pd.DataFrame(
        {
            "z_score": z_scores,
            "centile": centiles,
            "outside_ages": outside,
            "scored_by": np.where(people.folds == NOT_FITTED, BY_ALL, BY_OTHERS),
            "note": pd.Series(NO_SEX, index=range(len(values))).where(~has_curve, None),
        }
    )
